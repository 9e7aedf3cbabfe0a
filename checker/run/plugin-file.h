/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "model/manifest.h"
#include "sys/trust.h"

/*
 * A plugin's shared object as a file: found beside its manifest, trusted, and looked into without
 * running any of its code. What it finds is read from the ELF file: class, machine, the symbol
 * `kc_plugin`, its magic and ABI, and that no RPATH or RUNPATH leads the loader elsewhere.
 */
struct kc_plugin_file {
	const struct kc_manifest *manifest;
	char *path;
	int fd;
	uint64_t size;
};

enum {
	KC_PLUGIN_FILE_MAX = 64 * 1024 * 1024
};

/* The manifest was read by kc_manifest_load() by an absolute path; `folder` is that of
 * kc_trust_open_near(). -EPERM: not trusted. -ENOENT: no object beside the
 * manifest. -ENOEXEC: no plugin, or of another ABI. */
int kc_plugin_file_open(const struct kc_manifest *manifest, struct kc_trust_folder *folder,
			struct kc_err *err, struct kc_plugin_file *ret_file);
void kc_plugin_file_done(struct kc_plugin_file *file);

/* The digest of what was opened, by a report format's function. */
int kc_plugin_file_hash(const struct kc_plugin_file *file,
			void (*sha256)(const void *data, size_t size, char ret_hex[65]),
			struct kc_err *err, char ret_hex[65]);

/* Looks into an ELF object of `size` bytes; pure, for tests and fuzzing. `path` is for messages. */
int kc_plugin_elf_check(const char *path, const unsigned char *data, size_t size,
			struct kc_err *err);
