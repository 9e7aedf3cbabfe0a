/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "model/mask.h"

/* Planted in every text below; none may come out. */
#define PLANT "Pl4nt3d-S3cret"

struct text {
	const char *in, *out;
};

static void check(const struct text *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf again = { 0 };
		unsigned hits = kc_mask(&b, table[i].in, strlen(table[i].in));

		assert_string_equal(b.data, table[i].out);
		assert_int_equal(hits > 0, !kc_streq(table[i].in, table[i].out));
		if (hits > 0)
			assert_true(kc_mask_needed(table[i].in, strlen(table[i].in)));
		/* What is masked stays as it is. */
		assert_int_equal(kc_mask(&again, b.data, b.len), 0);
		assert_string_equal(again.data, table[i].out);
	}
}

static void test_assignments(void **state)
{
	static const struct text table[] = {
		{ "password=" PLANT, "password=***" },
		{ "passwd=" PLANT " next=1", "passwd=*** next=1" },
		{ "PASSPHRASE=" PLANT "\nnext", "PASSPHRASE=***\nnext" },
		{ "DB_PASSWORD=" PLANT, "DB_PASSWORD=***" },
		{ "MYSQLPASSWORD=" PLANT, "MYSQLPASSWORD=***" },
		{ "clientSecret: " PLANT, "clientSecret: ***" },
		{ "api-key = " PLANT " two words\nx = 1", "api-key = ***\nx = 1" },
		{ "apiKey: " PLANT, "apiKey: ***" },
		{ "API_KEY=" PLANT ",and,more", "API_KEY=***" },
		{ "aws_secret_access_key=" PLANT, "aws_secret_access_key=***" },
		{ "access-key: " PLANT, "access-key: ***" },
		{ "private_key=" PLANT, "private_key=***" },
		{ "credential: " PLANT, "credential: ***" },
		{ "credentials = " PLANT, "credentials = ***" },
		{ "token: two " PLANT, "token: ***" },
		{ "a=b,password=" PLANT ",domain=d", "a=b,password=***,domain=d" },
		{ "Server=s;Password=" PLANT ";User=u", "Server=s;Password=***;User=u" },
		{ "https://h/p?x=1&token=" PLANT "&y=2", "https://h/p?x=1&token=***&y=2" },
		{ "client-key-data: " PLANT, "client-key-data: ***" },
		{ "{password: " PLANT ", user: bob}", "{password: ***, user: bob}" },
		{ "password: '" PLANT "' # why", "password: '***' # why" },
		{ "password=\"" PLANT " \\\" more\" x", "password=\"***\" x" },
		{ "password=\"" PLANT " never closed", "password=\"***" },
		{ "spring.datasource.password=" PLANT, "spring.datasource.password=***" },
	};

	check(table, KC_ARRAY_SIZE(table));
}

static void test_flags(void **state)
{
	static const struct text table[] = {
		{ "kubeadm join --token " PLANT " --v 5", "kubeadm join --token *** --v 5" },
		{ "kubeadm join --token=" PLANT " 10.0.0.1:6443",
		  "kubeadm join --token=*** 10.0.0.1:6443" },
		{ "--discovery-token '" PLANT "' x", "--discovery-token '***' x" },
		{ "crictl --creds-password\t" PLANT, "crictl --creds-password\t***" },
		{ "-password " PLANT, "-password ***" },
		{ "--token --other", "--token --other" },
		{ "--password=\"" PLANT "\" --user x", "--password=\"***\" --user x" },
	};
	static const char cmdline[] = "kubelet\0--token\0" PLANT "\0--v=2";
	static const char masked[] = "kubelet\0--token\0***\0--v=2";
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	check(table, KC_ARRAY_SIZE(table));
	assert_int_equal(kc_mask(&b, cmdline, sizeof(cmdline) - 1), 1);
	assert_int_equal(b.len, sizeof(masked) - 1);
	assert_memory_equal(b.data, masked, sizeof(masked));
}

static void test_json_and_yaml(void **state)
{
	static const struct text table[] = {
		{ "{\"password\":\"" PLANT "\",\"user\":\"u\"}",
		  "{\"password\":\"***\",\"user\":\"u\"}" },
		{ "{\"password\" : \"" PLANT "\"}", "{\"password\" : \"***\"}" },
		{ "{'token': '" PLANT "'}", "{'token': '***'}" },
		{ "\"{\\\"password\\\":\\\"" PLANT "\\\",\\\"a\\\":1}\"",
		  "\"{\\\"password\\\":\\\"***\\\",\\\"a\\\":1}\"" },
		{ "[\"TOKEN=" PLANT "\",\"HOME=/root\"]", "[\"TOKEN=***\",\"HOME=/root\"]" },
		{ "{\"auths\":{\"quay.io\":{\"auth\":\"dXNlcjpwYXNzd29yZA==\"}}}",
		  "{\"auths\":{\"quay.io\":{\"auth\":\"***\"}}}" },
		{ "user:\n  token: " PLANT "\n  name: x\n", "user:\n  token: ***\n  name: x\n" },
		{ "  password: |\n    " PLANT "\n    second " PLANT "\n\n    third\n  name: x\n",
		  "  password: |\n    ***\n  name: x\n" },
		{ "password: >-\n  " PLANT, "password: >-\n  ***" },
		{ "password: 12345678", "password: ***" },
	};

	check(table, KC_ARRAY_SIZE(table));
}

static void test_others(void **state)
{
	static const struct text table[] = {
		{ "http://user:" PLANT "@proxy:3128/", "http://user:***@proxy:3128/" },
		{ "HTTPS_PROXY=http://u:p@" PLANT "@h", "HTTPS_PROXY=http://u:***@h" },
		{ "unix:///run/x https://:" PLANT "@h", "unix:///run/x https://:***@h" },
		{ "Authorization: Bearer " PLANT, "Authorization: Bearer ***" },
		{ "authorization: Basic dXNlcjpwYXNz", "authorization: Basic ***" },
		{ "-H 'Authorization: Bearer " PLANT "' url",
		  "-H 'Authorization: Bearer ***' url" },
		{ "\"Authorization\": \"Bearer " PLANT "\"", "\"Authorization\": \"Bearer ***\"" },
		{ "sent Bearer " PLANT " to it", "sent Bearer *** to it" },
		{ "got basic dXNlcjpwYXNzd29yZA== back", "got basic *** back" },
		{ "jwt eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl.", "jwt ***." },
		{ "use abcdef.0123456789abcdef now", "use *** now" },
		{ "abcdef.0123456789abcdef", "***" },
		{ "It is abcdef.0123456789abcdef.", "It is ***." },
		{ "-----BEGIN RSA PRIVATE KEY-----\n" PLANT "\n-----END RSA PRIVATE KEY-----\nx",
		  "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nx" },
		{ "-----BEGIN PRIVATE KEY-----\n" PLANT, "-----BEGIN PRIVATE KEY-----***" },
		{ "root:$6$saltsalt$" PLANT "/hash.of.it:19000:0:", "root:***:19000:0:" },
		{ "a:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$" PLANT ":1", "a:***:1" },
		{ "$2b$10$N9qo8uLOickgx2ZMRZoMye" PLANT, "***" },
	};

	check(table, KC_ARRAY_SIZE(table));
}

static void test_innocent(void **state)
{
	static const char *const texts[] = {
		"",
		"--token-ttl=5m0s",
		"tokens: 3 found",
		"/etc/kubernetes/bootstrap-kubelet.conf",
		"password-file",
		"--password-file=/etc/x/password",
		"--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
		"--authorization-mode=Node,RBAC",
		"authorization:\n  mode: Webhook\n",
		"authorization: {mode: Webhook}",
		"authentication: {anonymous: {enabled: false}}",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"--discovery-token-ca-cert-hash sha256:e3b0c44298fc1c149afbf4c8996fb924",
		"/etc/passwd: permission denied; run k8scheck as root to see it",
		"/var/run/secrets/token: there is no such file or folder",
		"/run/x.password: there is no such file or folder",
		"passwd:         files systemd",
		"automountServiceAccountToken: false",
		"password: \"\"",
		"password=",
		"password= user=bob",
		"the secret is missing, the token too",
		"basic authentication is off",
		"bearer tokens are accepted",
		"https://user@host/ and https://host:6443/path@2",
		"ssh://git@github.com:22/x",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"tls-private-key-file: /var/lib/kubelet/pki/kubelet.key",
		"privateKey: /etc/kubernetes/pki/apiserver.key",
		"net.ipv4.ip_forward = 1",
		"node.kubernetes.internal",
		"registry.k8s.io/pause:3.9",
		"a.b.c.abcdef.0123456789abcdef.example",
		"/x/abcdef.0123456789abcdef",
		"PasswordAuthentication no",
		"keyboard: us",
		"kubernetes.io/service-account-token",
		"eyJ is how web tokens begin",
		"awk '{ print $1$2 }'",
		"$1$ costs, and $5$ too",
		"$6$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"\"auth\": \"none\"",
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(texts); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		if (kc_mask(&b, texts[i], strlen(texts[i])) != 0)
			fail_msg("masked: %s", b.data);
		assert_string_equal(b.data, texts[i]);
	}
}

static void test_needed(void **state)
{
	assert_false(kc_mask_needed("net.ipv4.ip_forward = 1", 23));
	assert_false(kc_mask_needed("", 0));
	assert_true(kc_mask_needed("PassWord", 8));
}

/* A megabyte of every kind of text that makes a rule look ahead: never more than a multiple of its
 * length. */
static void test_linear(void **state)
{
	static const char *const units[] = { "password ",
					     "password=",
					     "password=\"",
					     "token: true ",
					     "auth:\"",
					     "authorization: x ",
					     "$6$",
					     "$6$aaaaaaaaaaaaaaaaaaaaaaaaaaa ",
					     "eyJaaaaa.",
					     "eyJaaaaa.bbbbb.",
					     "://",
					     "://a:",
					     "http://a:b",
					     "-----BEGIN ",
					     "-----BEGIN PRIVATE KEY-----",
					     "abcdef.0123456789abcde",
					     "bearer ",
					     "password: |\n",
					     "password: |\n ",
					     "\\\"password\\\":\\\"",
					     "-",
					     "a",
					     " ",
					     "credential=/",
					     "token=a,",
					     "--token ",
					     "'",
					     "password:\t\t" };
	const size_t size = 1 << 20;
	char *text = malloc(size);

	assert_non_null(text);
	for (size_t u = 0; u < KC_ARRAY_SIZE(units); u++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		size_t n = strlen(units[u]);
		clock_t from = clock();
		double ms;

		for (size_t i = 0; i < size; i++)
			text[i] = units[u][i % n];
		(void)kc_mask(&b, text, size);
		ms = (double)(clock() - from) * 1e3 / CLOCKS_PER_SEC;
		if (ms > 1500)
			fail_msg("a megabyte of \"%s\" takes %.0f ms", units[u], ms);
	}
	free(text);
}

/* Random texts of the pieces that rules look for: nothing is read outside, and all of it comes out.
 */
static void test_pieces(void **state)
{
	static const char *const pieces[] = {
		"password",  "=",	 ":",
		" ",	     "\"",	 "'",
		"\\",	     "\n",	 "|",
		"--token",   "eyJaaaaa", ".",
		"://",	     "@",	 "-----BEGIN PRIVATE KEY-----",
		"-----END ", "bearer",	 "{",
		",",	     "abcdef",	 "0123456789abcdef"
	};
	unsigned seed = 1;

	for (unsigned round = 0; round < 20000; round++) {
		kc_cleanup(kc_buf_done) struct kc_buf in = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
		char *exact;

		for (unsigned i = 0; i < 12; i++) {
			seed = seed * 1103515245u + 12345u;
			kc_buf_adds(&in, pieces[(seed >> 16) % KC_ARRAY_SIZE(pieces)]);
		}
		/* Without the NUL, so that a sanitizer sees a step too far. */
		exact = malloc(in.len);
		assert_non_null(exact);
		memcpy(exact, in.data, in.len);
		if (kc_mask(&out, exact, in.len) == 0)
			assert_string_equal(out.data, in.data);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_assignments),   cmocka_unit_test(test_flags),
		cmocka_unit_test(test_json_and_yaml), cmocka_unit_test(test_others),
		cmocka_unit_test(test_innocent),      cmocka_unit_test(test_needed),
		cmocka_unit_test(test_linear),	      cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
