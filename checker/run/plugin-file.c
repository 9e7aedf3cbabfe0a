/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "plugin-file.h"
#include "sys/trust.h"

struct elf {
	const char *path;
	const unsigned char *data;
	size_t size;
	ElfW(Ehdr) header;
};

static bool get(const struct elf *e, uint64_t offset, void *to, size_t size)
{
	if (offset > e->size || e->size - offset < size)
		return false;
	memcpy(to, e->data + offset, size);
	return true;
}

static int check_header(struct elf *e, struct kc_err *err)
{
	/* What this very program is: the only class, order and machine that it can map. */
	const ElfW(Ehdr) *own = NULL;
	static const unsigned char order =
		__BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
	extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden")));

	own = &__ehdr_start;
	if (!get(e, 0, &e->header, sizeof(e->header)) ||
	    memcmp(e->header.e_ident, ELFMAG, SELFMAG) != 0)
		return kc_err_set(err, -ENOEXEC, "%s is no shared object (no ELF header)", e->path);
	if (e->header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    e->header.e_ident[EI_DATA] != order || (own && e->header.e_machine != own->e_machine))
		return kc_err_set(err, -ENOEXEC,
				  "%s is built for another machine than this k8scheck", e->path);
	if (e->header.e_type != ET_DYN || e->header.e_phentsize != sizeof(ElfW(Phdr)) ||
	    e->header.e_shentsize != sizeof(ElfW(Shdr)))
		return kc_err_set(err, -ENOEXEC, "%s is no shared object", e->path);
	return 0;
}

/* What a table or a segment takes of the file is there. */
static bool is_inside(const struct elf *e, uint64_t offset, uint64_t size)
{
	return offset <= e->size && size <= e->size - offset;
}

/* A file that is cut short would end the process that maps it, not its loading. */
static int check_whole(const struct elf *e, struct kc_err *err)
{
	const ElfW(Ehdr) *h = &e->header;
	bool whole = is_inside(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(ElfW(Phdr))) &&
		     is_inside(e, h->e_shoff, (uint64_t)h->e_shnum * sizeof(ElfW(Shdr)));

	for (unsigned i = 0; whole && i < h->e_phnum; i++) {
		ElfW(Phdr) p;

		whole = get(e, h->e_phoff + (uint64_t)i * sizeof(p), &p, sizeof(p)) &&
			(p.p_type != PT_LOAD || is_inside(e, p.p_offset, p.p_filesz));
	}
	return whole ? 0
		     : kc_err_set(err, -ENOEXEC, "%s is not whole: its end is missing", e->path);
}

static bool find_section(const struct elf *e, uint32_t type, ElfW(Shdr) * ret_section)
{
	for (unsigned i = 0; i < e->header.e_shnum; i++) {
		ElfW(Shdr) s;

		if (!get(e, e->header.e_shoff + (uint64_t)i * sizeof(s), &s, sizeof(s)))
			return false;
		if (s.sh_type == type) {
			*ret_section = s;
			return true;
		}
	}
	return false;
}

/* The file's place of an address, or UINT64_MAX. */
static uint64_t offset_of(const struct elf *e, uint64_t address)
{
	for (unsigned i = 0; i < e->header.e_phnum; i++) {
		ElfW(Phdr) p;

		if (!get(e, e->header.e_phoff + (uint64_t)i * sizeof(p), &p, sizeof(p)))
			break;
		if (p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz)
			return p.p_offset + (address - p.p_vaddr);
	}
	return UINT64_MAX;
}

static bool is_name(const struct elf *e, const ElfW(Shdr) * strings, uint64_t at, const char *name)
{
	char text[32];
	size_t n = strlen(name) + 1;

	return at < strings->sh_size && n <= sizeof(text) &&
	       get(e, strings->sh_offset + at, text, n) && memcmp(text, name, n) == 0;
}

static int find_plugin(const struct elf *e, struct kc_err *err, uint64_t *ret_offset)
{
	ElfW(Shdr) symbols, strings;

	if (!find_section(e, SHT_DYNSYM, &symbols) || symbols.sh_link >= e->header.e_shnum ||
	    !get(e, e->header.e_shoff + (uint64_t)symbols.sh_link * sizeof(strings), &strings,
		 sizeof(strings)))
		return kc_err_set(err, -ENOEXEC, "%s has no table of dynamic symbols", e->path);
	for (uint64_t i = 0; i < symbols.sh_size / sizeof(ElfW(Sym)); i++) {
		ElfW(Sym) s;

		if (!get(e, symbols.sh_offset + i * sizeof(s), &s, sizeof(s)))
			break;
		if (s.st_shndx == SHN_UNDEF || !is_name(e, &strings, s.st_name, "kc_plugin"))
			continue;
		*ret_offset = offset_of(e, s.st_value);
		if (*ret_offset != UINT64_MAX)
			return 0;
	}
	return kc_err_set(err, -ENOEXEC, "%s is no k8scheck plugin: it exports no kc_plugin",
			  e->path);
}

static int check_plugin(const struct elf *e, struct kc_err *err)
{
	struct {
		uint32_t magic;
		uint16_t abi_major, abi_minor;
	} head;
	uint64_t offset;
	int r;

	r = find_plugin(e, err, &offset);
	if (r < 0)
		return r;
	if (!get(e, offset, &head, sizeof(head)) || head.magic != KC_PLUGIN_MAGIC)
		return kc_err_set(
			err, -ENOEXEC,
			"%s is no k8scheck plugin: its kc_plugin has another magic number",
			e->path);
	if (head.abi_major != KC_ABI_MAJOR)
		return kc_err_set(err, -ENOEXEC,
				  "%s is built for plugin ABI %u.%u, and this k8scheck has %u.%u; "
				  "build it again with the installed k8scheck-plugin.h",
				  e->path, head.abi_major, head.abi_minor, KC_ABI_MAJOR,
				  KC_ABI_MINOR);
	return 0;
}

/* The loader goes by the segment, whatever the table of sections says. */
static bool find_dynamic(const struct elf *e, ElfW(Phdr) * ret_segment)
{
	for (unsigned i = 0; i < e->header.e_phnum; i++) {
		if (!get(e, e->header.e_phoff + (uint64_t)i * sizeof(*ret_segment), ret_segment,
			 sizeof(*ret_segment)))
			return false;
		if (ret_segment->p_type == PT_DYNAMIC)
			return true;
	}
	return false;
}

static int check_paths(const struct elf *e, struct kc_err *err)
{
	ElfW(Phdr) dynamic;

	if (!find_dynamic(e, &dynamic))
		return kc_err_set(err, -ENOEXEC, "%s has no dynamic segment", e->path);
	/* To its end mark, which the loader relies on too. */
	for (uint64_t at = dynamic.p_offset;; at += sizeof(ElfW(Dyn))) {
		ElfW(Dyn) d;

		if (!get(e, at, &d, sizeof(d)) || d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_RPATH || d.d_tag == DT_RUNPATH)
			return kc_err_set(err, -EPERM,
					  "%s has an RPATH or RUNPATH, which could load code from "
					  "folders that nobody vetted; link it without",
					  e->path);
	}
	return 0;
}

int kc_plugin_elf_check(const char *path, const unsigned char *data, size_t size,
			struct kc_err *err)
{
	struct elf e = { .path = path, .data = data, .size = size };
	int r = check_header(&e, err);

	if (r >= 0)
		r = check_whole(&e, err);
	if (r >= 0)
		r = check_plugin(&e, err);
	if (r >= 0)
		r = check_paths(&e, err);
	return r;
}

static int look_into(const struct kc_plugin_file *file, struct kc_err *err)
{
	unsigned char *data;
	int r;

	if (file->size == 0 || file->size > KC_PLUGIN_FILE_MAX)
		return kc_err_set(err, -ENOEXEC, "%s is no shared object (%llu bytes)", file->path,
				  (unsigned long long)file->size);
	data = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
	if (data == MAP_FAILED)
		return kc_err_set(err, -errno, "%s: %s", file->path, kc_strerror(errno));
	r = kc_plugin_elf_check(file->path, data, file->size, err);
	(void)munmap(data, file->size);
	return r;
}

int kc_plugin_file_hash(const struct kc_plugin_file *file,
			void (*sha256)(const void *data, size_t size, char ret_hex[65]),
			struct kc_err *err, char ret_hex[65])
{
	unsigned char *data = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);

	if (data == MAP_FAILED)
		return kc_err_set(err, -errno, "%s: %s", file->path, kc_strerror(errno));
	sha256(data, file->size, ret_hex);
	(void)munmap(data, file->size);
	return 0;
}

static int reopen(struct kc_plugin_file *file, int vetted, struct stat *ret_stat,
		  struct kc_err *err)
{
	int fd = kc_fd_reopen(vetted, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return kc_err_set(err, fd, "%s: %s", file->path, kc_strerror(fd));
	file->fd = fd;
	if (fstat(fd, ret_stat) < 0)
		return kc_err_set(err, -errno, "%s: %s", file->path, kc_strerror(errno));
	return 0;
}

int kc_plugin_file_open(const struct kc_manifest *manifest, struct kc_trust_folder *folder,
			struct kc_err *err, struct kc_plugin_file *ret_file)
{
	struct kc_plugin_file file = { .manifest = manifest, .fd = -EBADF };
	const char *slash = strrchr(manifest->file, '/');
	kc_cleanup(kc_closep) int vetted = -EBADF;
	struct stat st;
	int r;

	/* What it says of parameters, reasons and repairs counts as much as the code. */
	if (manifest->distrust)
		return kc_err_set(err, -EPERM, "%s", manifest->distrust);
	file.path = kc_asprintf("%.*s%s.so", slash ? (int)(slash + 1 - manifest->file) : 0,
				manifest->file, manifest->name);
	if (!file.path)
		return kc_err_set(err, -ENOMEM, "out of memory");
	r = kc_trust_open_near(folder, file.path, KC_TRUST_STICKY, err, &vetted);
	if (r == -ENOENT)
		(void)kc_err_set(err, r, "%s is not there beside its manifest; was it built?",
				 file.path);
	if (r >= 0)
		r = reopen(&file, vetted, &st, err);
	if (r >= 0) {
		file.size = (uint64_t)st.st_size;
		r = look_into(&file, err);
	}
	if (r < 0) {
		kc_plugin_file_done(&file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void kc_plugin_file_done(struct kc_plugin_file *file)
{
	free(file->path);
	(void)kc_close(file->fd);
	*file = (struct kc_plugin_file){ .fd = -EBADF };
}
