/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"
#include "base/err.h"

/*
 * The door to health end points (KC_ASK_HEALTH): a GET over HTTP/1.1 on a loopback address of this
 * machine, nothing else. Every whole answer is an answer, whatever its status; redirects are not
 * followed.
 */
kc_door kc_door_health;

enum {
	KC_HEALTH_BODY_MAX = 1024 * 1024
};

struct kc_health_url {
	bool ipv6;
	uint16_t port;
	const char *path; /* "/healthz"; borrowed, "/" when there is none */
	char host[32]; /* for the Host field: "127.0.0.1:10248" */
};

/*
 * Reads http://127.0.0.1:PORT/PATH, http://[::1]:PORT/PATH; "localhost" is 127.0.0.1. -EPERM for
 * everything else. Pure.
 */
int kc_health_url_parse(const char *url, struct kc_err *err, struct kc_health_url *ret_url);
