/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "cri-answer.h"
#include "cri.pb-c.h"

/* A list of two-byte messages becomes structures of many times their size: this is the most for
 * one. */
enum {
	DECODED_MAX = 64 * 1024 * 1024,
	CONDITIONS_MAX = 64
};

static void *decode_alloc(void *arena, size_t size)
{
	return kc_arena_alloc(arena, size);
}

static void decode_free(void *arena, void *data)
{
	/* The arena is freed as a whole. */
}

/* Unpacks into `memory`, or returns NULL and sets the error. */
static const void *unpack(const ProtobufCMessageDescriptor *type, const void *message, size_t size,
			  struct kc_arena *memory, struct kc_err *err)
{
	ProtobufCAllocator allocator = {
		.alloc = decode_alloc,
		.free = decode_free,
		.allocator_data = memory,
	};
	const void *decoded;

	decoded = protobuf_c_message_unpack(type, &allocator, size, message);
	if (!decoded)
		(void)kc_err_set(err, -EBADMSG, "its %zu bytes are no %s", size, type->short_name);
	return decoded;
}

static void add_pair(struct kc_answer *answer, struct kc_arena *arena, const char *key,
		     const char *value)
{
	kc_answer_adds(answer, arena, key);
	kc_answer_adds(answer, arena, value);
}

static int add_version(const Kc__Cri__VersionResponse *version, const char *api,
		       struct kc_arena *arena, struct kc_err *err, struct kc_answer *answer)
{
	if (version->runtime_name[0] == 0 || version->runtime_version[0] == 0)
		return kc_err_set(err, -EBADMSG, "it lacks the runtime's name or version");
	add_pair(answer, arena, "api", api);
	add_pair(answer, arena, "runtime_name", version->runtime_name);
	add_pair(answer, arena, "runtime_version", version->runtime_version);
	add_pair(answer, arena, "runtime_api_version", version->runtime_api_version);
	return 0;
}

static int add_condition(const Kc__Cri__RuntimeCondition *condition, struct kc_arena *arena,
			 struct kc_err *err, struct kc_answer *answer)
{
	const char *reason = kc_arena_printf(arena, "%s.reason", condition->type);
	const char *message = kc_arena_printf(arena, "%s.message", condition->type);

	if (!reason || !message)
		return kc_err_set(err, -ENOMEM, "it does not fit into memory");
	add_pair(answer, arena, condition->type, condition->status ? "true" : "false");
	add_pair(answer, arena, reason, condition->reason);
	add_pair(answer, arena, message, condition->message);
	return 0;
}

static int add_status(const Kc__Cri__StatusResponse *response, const char *api,
		      struct kc_arena *arena, struct kc_err *err, struct kc_answer *answer)
{
	if (!response->status || response->status->n_conditions == 0)
		return kc_err_set(err, -EBADMSG, "it lacks the runtime's conditions");
	if (response->status->n_conditions > CONDITIONS_MAX)
		return kc_err_set(err, -EBADMSG, "it has %zu conditions, where runtimes have two",
				  response->status->n_conditions);
	add_pair(answer, arena, "api", api);
	for (size_t i = 0; i < response->status->n_conditions; i++) {
		int r = add_condition(response->status->conditions[i], arena, err, answer);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_config(const Kc__Cri__RuntimeConfigResponse *config, struct kc_arena *arena,
		      struct kc_err *err, struct kc_answer *answer)
{
	if (!config->on_linux)
		return kc_err_set(err, -EBADMSG, "it lacks the configuration for Linux");
	switch (config->on_linux->cgroup_driver) {
	case KC__CRI__CGROUP_DRIVER__SYSTEMD:
		add_pair(answer, arena, "cgroup_driver", "systemd");
		return 0;
	case KC__CRI__CGROUP_DRIVER__CGROUPFS:
		add_pair(answer, arena, "cgroup_driver", "cgroupfs");
		return 0;
	default:
		return kc_err_set(err, -EBADMSG,
				  "it names the cgroup driver %d, which there is not",
				  (int)config->on_linux->cgroup_driver);
	}
}

static const char *find(Kc__Cri__Pair *const *pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (kc_streq(pairs[i]->key, key))
			return pairs[i]->value;
	}
	return NULL;
}

/*
 * By the marks that the kubelet (kubernetes.io/config.source, pkg/kubelet/types) and the controller
 * of daemon sets (pod-template-generation, pkg/controller/daemon/util) put on their pods.
 */
static const char *owner_of(const Kc__Cri__PodSandbox *pod)
{
	const char *source =
		find(pod->annotations, pod->n_annotations, "kubernetes.io/config.source");

	if (source && !kc_streq(source, "api"))
		return " static";
	if (find(pod->labels, pod->n_labels, "pod-template-generation"))
		return " daemon-set";
	return " other";
}

static int add_pods(const Kc__Cri__ListPodSandboxResponse *list, bool owned, struct kc_arena *arena,
		    struct kc_err *err, struct kc_answer *answer)
{
	for (size_t i = 0; i < list->n_items; i++) {
		const Kc__Cri__PodSandbox *pod = list->items[i];
		const char *text;

		text = kc_arena_printf(
			arena, "%s/%s %s%s", pod->metadata ? pod->metadata->namespace_ : "",
			pod->metadata ? pod->metadata->name : "",
			pod->state == KC__CRI__POD_SANDBOX_STATE__SANDBOX_READY ? "Ready"
										: "NotReady",
			owned ? owner_of(pod) : "");
		if (!text)
			return kc_err_set(err, -ENOMEM, "it does not fit into memory");
		add_pair(answer, arena, pod->id, text);
	}
	return 0;
}

static int add_images(const Kc__Cri__ListImagesResponse *list, struct kc_arena *arena,
		      struct kc_answer *answer)
{
	for (size_t i = 0; i < list->n_images; i++) {
		const Kc__Cri__Image *image = list->images[i];
		const char *name = "";

		if (image->n_repo_tags > 0)
			name = image->repo_tags[0];
		else if (image->n_repo_digests > 0)
			name = image->repo_digests[0];
		add_pair(answer, arena, image->id, name);
	}
	return 0;
}

static const ProtobufCMessageDescriptor *answer_type(uint32_t question)
{
	switch (question) {
	case KC_RUNTIME_VERSION:
		return &kc__cri__version_response__descriptor;
	case KC_RUNTIME_STATUS:
		return &kc__cri__status_response__descriptor;
	case KC_RUNTIME_CONFIG:
		return &kc__cri__runtime_config_response__descriptor;
	case KC_RUNTIME_PODS:
	case KC_RUNTIME_PODS_OWNED:
		return &kc__cri__list_pod_sandbox_response__descriptor;
	case KC_RUNTIME_IMAGES:
		return &kc__cri__list_images_response__descriptor;
	default:
		return NULL;
	}
}

int kc_cri_answer(uint32_t question, const char *api, const void *message, size_t size,
		  struct kc_arena *arena, struct kc_err *err, struct kc_answer *answer)
{
	kc_cleanup(kc_arena_done) struct kc_arena memory = { .limit = DECODED_MAX };
	const ProtobufCMessageDescriptor *type = answer_type(question);
	const void *decoded;
	int r;

	if (!type)
		return kc_err_set(err, -EINVAL, "%" PRIu32 " is no question of CRI", question);
	decoded = unpack(type, message, size, &memory, err);
	if (!decoded)
		return -EBADMSG;
	switch (question) {
	case KC_RUNTIME_VERSION:
		r = add_version(decoded, api, arena, err, answer);
		break;
	case KC_RUNTIME_STATUS:
		r = add_status(decoded, api, arena, err, answer);
		break;
	case KC_RUNTIME_CONFIG:
		r = add_config(decoded, arena, err, answer);
		break;
	case KC_RUNTIME_PODS:
	case KC_RUNTIME_PODS_OWNED:
		r = add_pods(decoded, question == KC_RUNTIME_PODS_OWNED, arena, err, answer);
		break;
	default:
		r = add_images(decoded, arena, answer);
		break;
	}
	if (r == 0 && answer->code < 0)
		r = kc_err_set(err, answer->code, "%s", answer->why);
	return r;
}

static void json_drop(json_t **value)
{
	json_decref(*value);
}

/* What a member is as text; NULL for kinds that are left out. */
static const char *json_text(const json_t *value, struct kc_arena *arena)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		return kc_arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return kc_arena_printf(arena, "%.15g", json_real_value(value));
	default:
		return NULL;
	}
}

int kc_crio_info(const char *json, size_t size, struct kc_arena *arena, struct kc_err *err,
		 struct kc_answer *answer)
{
	kc_cleanup(json_drop) json_t *info = NULL;
	json_error_t where;
	const char *key;
	json_t *value;

	info = json_loadb(json, size, JSON_REJECT_DUPLICATES, &where);
	if (!info)
		return kc_err_set(err, -EBADMSG, "it is no JSON: line %d, column %d: %s",
				  where.line, where.column, where.text);
	if (!json_is_object(info))
		return kc_err_set(err, -EBADMSG, "it is JSON, but no object");
	json_object_foreach(info, key, value)
	{
		const char *text = json_text(value, arena);

		if (text)
			add_pair(answer, arena, key, text);
	}
	if (answer->code < 0)
		return kc_err_set(err, answer->code, "%s", answer->why);
	return 0;
}
