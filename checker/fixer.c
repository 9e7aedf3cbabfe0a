/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/fields.h"
#include "fixer.h"
#include "surroundings.h"

int kc_fixer_tell(struct kc_fixer *fixer, const struct kc_fix_outcome *outcome)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_put_outcome(&b, outcome);
	/* Its terminal may have been cut off by the very repair. */
	(void)kc_fix_send(fixer->socket, KC_FIX_OUTCOME, &b);
	return 0;
}

int kc_fixer_await(struct kc_fixer *fixer, struct kc_err *err, struct kc_fix_consent *ret_consent)
{
	struct kc_fix_message message = { 0 };
	int r = kc_fix_receive(fixer->socket, &message);

	if (r == 0 && message.type != KC_FIX_CONSENT)
		r = -EBADMSG;
	if (r == 0)
		r = kc_get_consent(&message.data, fixer->arena, ret_consent);
	kc_fix_message_done(&message);
	return r < 0 ? kc_err_set(err, r, "there was no consent") : 0;
}

void kc_fixer_note(struct kc_fixer *fixer, struct kc_fix_outcome *outcome, const char *fmt, ...)
{
	const char **items = kc_arena_zalloc(fixer->arena, outcome->notes.n + 2, sizeof(*items));
	va_list ap;

	if (!items)
		return;
	for (size_t i = 0; i < outcome->notes.n; i++)
		items[i] = outcome->notes.item[i];
	va_start(ap, fmt);
	items[outcome->notes.n] = kc_arena_vprintf(fixer->arena, fmt, ap);
	va_end(ap);
	if (items[outcome->notes.n])
		outcome->notes = (struct kc_strings){ .n = outcome->notes.n + 1, .item = items };
}

/* A shell's limits are for the programs that it runs, and would end a repair half way. */
static void lift_limits(void)
{
	static const int limits[] = { RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_NOFILE,
				      RLIMIT_CPU };

	for (size_t i = 0; i < KC_ARRAY_SIZE(limits); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i], &limit) < 0)
			continue;
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(limits[i], &limit);
	}
}

/* Nothing of who started it but its words: no descriptor, no signal, no limit of its shell's. */
static int settle_in(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	/* A firewall step may cut the terminal off, a lease tells by SIGIO that somebody waits. */
	static const int signals[] = { SIGHUP,	SIGPIPE, SIGIO,	  SIGINT, SIGTERM,
				       SIGTTOU, SIGTTIN, SIGTSTP, SIGXFSZ };
	const struct rlimit none = { 0 };
	struct stat st;
	sigset_t all;

	if (fstat(KC_FIXER_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	(void)sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < KC_ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &ignore, NULL);
	(void)umask(077);
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* It was started by the number of its descriptor. */
	(void)prctl(PR_SET_NAME, "k8scheck-fixer");
	lift_limits();
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return fcntl(KC_FIXER_FD, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

static int open_root(struct kc_fixer *fixer, struct kc_err *err, struct kc_root **ret_root)
{
	const struct kc_options *o = fixer->command.options;
	const bool live = o->root ? o->live : o->live || !kc_surroundings_foreign();
	int r = kc_root_open(o->root ? o->root : "/", live ? KC_ROOT_LIVE : 0, err, ret_root);

	if (r < 0)
		return r;
	fixer->fix.root = *ret_root;
	fixer->fix.live = live;
	return o->list ? 0 : kc_fixer_vet_root(fixer, err);
}

static int serve(struct kc_fixer *fixer, struct kc_err *err)
{
	const struct kc_options *o = fixer->command.options;

	if (o->verb == KC_VERB_CHECK && o->fix)
		return kc_fixer_repair(fixer, err);
	if (o->verb != KC_VERB_ROLLBACK)
		return kc_err_set(err, -EINVAL, "this command line repairs nothing");
	if (o->list)
		return kc_fixer_list(fixer, err);
	if (o->forget)
		return kc_fixer_forget(fixer, err);
	return kc_fixer_rollback(fixer, err);
}

static int run(struct kc_fixer *fixer, struct kc_err *err)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	int r = kc_paths_find(fixer->command.options, fixer->arena, err, &fixer->command.paths);

	if (r == 0)
		r = open_root(fixer, err, &root);
	if (r < 0)
		return r;
	fixer->fix.arena = fixer->arena;
	fixer->may_change = !fixer->command.options->dry_run;
	r = serve(fixer, err);
	kc_store_done(&fixer->store);
	kc_fix_done(&fixer->fix);
	return r;
}

int main(int argc, char **argv)
{
	struct kc_arena arena = { 0 };
	struct kc_options options = { 0 };
	struct kc_fixer fixer = {
		.command = { .options = &options, .arena = &arena },
		.arena = &arena,
		.socket = KC_FIXER_FD,
		.store = { .dir = -EBADF, .transactions = -EBADF, .lock = -EBADF },
	};
	struct kc_err err = { 0 };
	int r = settle_in();

	if (r < 0) {
		(void)fprintf(stderr, "k8scheck-fixer is run by k8scheck --fix and k8scheck "
				      "rollback, and not by hand\n");
		return KC_EXIT_USAGE;
	}
	r = kc_options_parse(argc, argv, &err, &options);
	if (r == 0)
		r = run(&fixer, &err);
	if (r < 0) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		kc_put_text(&b, *err.text ? err.text : kc_strerror(r));
		(void)kc_fix_send(fixer.socket, KC_FIX_REFUSED, &b);
	}
	kc_options_done(&options);
	kc_arena_done(&arena);
	return r < 0 ? KC_EXIT_USAGE : 0;
}
