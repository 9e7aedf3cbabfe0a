/* SPDX-License-Identifier: Apache-2.0 */
#include "mask.h"

/*
 * One pass over the text, word by word; what is looked at ahead of a word is either masked, and so
 * passed, or bounded. Whoever adds a rule keeps it so: hosts hand in megabytes.
 */

#define MASK "***"

struct masker {
	struct kc_buf *b;
	const char *s;
	size_t n, at;
	size_t copied; /* what of s is in b already */
	unsigned hits;
	bool in_path; /* a slash since this run of letters without white space began */
	char quote; /* that opened the word or assignment we are in, or 0 */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* What names and base64url are made of. */
static bool is_word(char c)
{
	return is_alnum(c) || c == '_' || c == '-';
}

/* NUL separates the arguments in /proc/PID/cmdline. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == 0;
}

static bool is_space(char c)
{
	return kc_isspace(c) || c == 0;
}

static char get(const struct masker *m, size_t i)
{
	return i < m->n ? m->s[i] : '\n';
}

static size_t word_end(const struct masker *m, size_t i)
{
	while (i < m->n && is_word(m->s[i]))
		i++;
	return i;
}

static size_t skip_blanks(const struct masker *m, size_t i)
{
	while (i < m->n && is_blank(m->s[i]))
		i++;
	return i;
}

static bool starts(const struct masker *m, size_t i, const char *text)
{
	size_t n = strlen(text);

	return m->n >= n && i <= m->n - n && memcmp(m->s + i, text, n) == 0;
}

static bool equals_nocase(const char *s, size_t n, const char *word)
{
	if (strlen(word) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (lower(s[i]) != word[i])
			return false;
	}
	return true;
}

/* Replaces [from, to) and goes on behind it. */
static void hide(struct masker *m, size_t from, size_t to)
{
	if (to > from && !(to - from == strlen(MASK) && starts(m, from, MASK))) {
		kc_buf_add(m->b, m->s + m->copied, from - m->copied);
		kc_buf_adds(m->b, MASK);
		m->copied = to;
		m->hits++;
	}
	m->at = to;
}

enum name_kind {
	NAME_NONE,
	NAME_SECRET, /* its value is one */
	NAME_KEY, /* its value is one, or the path of a file that has it */
	NAME_SCHEME, /* Authorization: a scheme and what goes with it */
	NAME_AUTH, /* "auth" of a container registry: base64, or an innocent word */
};

/* Ends of names, without case, dashes and underscores. */
static const struct {
	const char *end;
	enum name_kind kind;
} name_ends[] = {
	{ "password", NAME_SECRET },	  { "passwd", NAME_SECRET },
	{ "passphrase", NAME_SECRET },	  { "secret", NAME_SECRET },
	{ "token", NAME_SECRET },	  { "apikey", NAME_SECRET },
	{ "accesskey", NAME_SECRET },	  { "secretkey", NAME_SECRET },
	{ "clientkeydata", NAME_SECRET }, { "privatekey", NAME_KEY },
	{ "credential", NAME_KEY },	  { "credentials", NAME_KEY },
	{ "authorization", NAME_SCHEME },
};

/* Longer than any of the ends above. */
enum {
	NAME_TAIL = 20
};

static enum name_kind classify(const char *s, size_t n)
{
	char tail[NAME_TAIL + 1];
	size_t at = NAME_TAIL, len;

	if (equals_nocase(s, n, "auth"))
		return NAME_AUTH;
	tail[NAME_TAIL] = 0;
	for (size_t i = n; i > 0 && at > 0; i--) {
		if (s[i - 1] != '-' && s[i - 1] != '_')
			tail[--at] = lower(s[i - 1]);
	}
	len = NAME_TAIL - at;
	for (size_t i = 0; i < KC_ARRAY_SIZE(name_ends); i++) {
		size_t end = strlen(name_ends[i].end);

		if (end <= len && kc_streq(tail + NAME_TAIL - end, name_ends[i].end))
			return name_ends[i].kind;
	}
	return NAME_NONE;
}

/* Words that say something about a secret, and are none. */
static bool is_innocent_value(const char *s, size_t n)
{
	static const char *const words[] = {
		"true",
		"false",
		"null",
		"none",
		"nil",
		"yes",
		"no",
		/* passwd: in nsswitch.conf */
		"files",
		"compat",
		"systemd",
		"sss",
		"ldap",
		"winbind",
		"db",
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(words); i++) {
		if (equals_nocase(s, n, words[i]))
			return true;
	}
	return n == 0;
}

static bool is_path(const char *s, size_t n)
{
	unsigned slashes = 0;

	for (size_t i = 0; i < n; i++) {
		slashes += s[i] == '/';
		if (s[i] == '+' || s[i] == '=')
			return false;
	}
	return n > 0 && s[0] == '/' && slashes > 1;
}

/* Not a word of prose: digits, or capitals within. */
static bool looks_random(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_digit(s[i]) || s[i] == '=' || (i > 0 && s[i] >= 'A' && s[i] <= 'Z'))
			return true;
	}
	return false;
}

static bool is_scheme(const char *s, size_t n)
{
	static const char *const schemes[] = { "bearer",    "basic", "digest",
					       "negotiate", "token", "apikey" };

	for (size_t i = 0; i < KC_ARRAY_SIZE(schemes); i++) {
		if (equals_nocase(s, n, schemes[i]))
			return true;
	}
	return false;
}

/* The end of what a credential is made of (RFC 6750 b64token, and what JSON web tokens have). */
static size_t credential_end(const struct masker *m, size_t i)
{
	while (i < m->n && (is_word(m->s[i]) || memchr("._~+/=", m->s[i], 6)))
		i++;
	return i;
}

/* From behind an opening quote: the place of the closing one. With none, the rest of the text is
 * hidden. */
static size_t quoted_end(const struct masker *m, size_t i, char quote, bool escaped)
{
	for (; i < m->n; i++) {
		if (m->s[i] == '\\' && quote == '"' && get(m, i + 1) == quote && escaped)
			return i;
		if (m->s[i] == '\\' && quote == '"' && !escaped)
			i++;
		else if (m->s[i] == quote)
			return i;
	}
	return m->n;
}

/* True where a separator ends a value: white space, a bracket, or the next assignment follows it.
 */
static bool ends_value(const struct masker *m, size_t i)
{
	size_t j = i + 1, most = KC_MIN(m->n, i + 40);

	if (is_space(get(m, j)) || memchr("]})\"'", get(m, j), 5))
		return true;
	while (j < most && is_word(m->s[j]))
		j++;
	return j > i + 1 && get(m, j) == '=';
}

/* The end of a value without quotes. `line`: it may have words, and goes to the end of the line. */
static size_t plain_end(const struct masker *m, size_t i, bool line)
{
	for (; i < m->n && m->s[i] != '\n' && m->s[i] != '\r'; i++) {
		char c = m->s[i];

		if (c == 0 || (!line && (is_blank(c) || c == '&')) || (m->quote && c == m->quote))
			break;
		if (memchr(",;]})", c, 5) && ends_value(m, i))
			break;
	}
	while (i > 0 && is_blank(m->s[i - 1]))
		i--;
	return i;
}

/* A block scalar of YAML: the lines below that are indented further than the name's. */
static bool hide_block(struct masker *m, size_t name, size_t value)
{
	size_t i = value + 1, start = name, indent = 0, body, end;

	while (get(m, i) == '-' || get(m, i) == '+' || is_digit(get(m, i)))
		i++;
	i = skip_blanks(m, i);
	if (i >= m->n || m->s[i] != '\n')
		return false;
	while (start > 0 && m->s[start - 1] != '\n')
		start--;
	while (get(m, start + indent) == ' ')
		indent++;
	for (body = i + 1; body < m->n && m->s[body] == ' ';)
		body++;
	for (end = i; end < m->n;) {
		size_t n = 0, line = end + 1;

		while (get(m, line + n) == ' ' && line + n < m->n)
			n++;
		if (line >= m->n || (n <= indent && get(m, line + n) != '\n'))
			break;
		for (end = line; end < m->n && m->s[end] != '\n';)
			end++;
	}
	if (end <= body)
		return false;
	hide(m, body, end);
	return true;
}

/* Authorization: the scheme stays. */
static bool hide_scheme(struct masker *m, size_t value)
{
	size_t end = word_end(m, value), rest;

	if (is_scheme(m->s + value, end - value)) {
		rest = skip_blanks(m, end);
		if (rest == end)
			return false;
		hide(m, rest, plain_end(m, rest, true));
		return true;
	}
	end = credential_end(m, value);
	if (end - value < 16)
		return false;
	hide(m, value, end);
	return true;
}

static bool hide_quoted(struct masker *m, enum name_kind kind, size_t value, bool escaped)
{
	char quote = m->s[value];
	size_t from = value + 1, end = quoted_end(m, from, quote, escaped);
	size_t shown = KC_MIN(end - from, (size_t)256); /* enough to tell innocent values */

	if (is_innocent_value(m->s + from, end - from) ||
	    (kind == NAME_KEY && shown == end - from && is_path(m->s + from, shown)))
		return false;
	if (kind == NAME_AUTH &&
	    (end - from < 8 || credential_end(m, from) < end || !looks_random(m->s + from, shown)))
		return false;
	if (kind == NAME_SCHEME) {
		size_t word = word_end(m, from);

		if (is_scheme(m->s + from, word - from))
			from = skip_blanks(m, word);
		else if (end - from < 16)
			return false;
	}
	hide(m, KC_MIN(from, end), end);
	return true;
}

/* What stands at `value` belongs to the name at `name`. `line`: up to the end of the line. */
static bool hide_value(struct masker *m, enum name_kind kind, size_t name, size_t value, bool line)
{
	char c = get(m, value);
	size_t first = value;

	if (c == '\\' && get(m, value + 1) == '"')
		return hide_quoted(m, kind, value + 1, true);
	if (c == '"' || c == '\'')
		return hide_quoted(m, kind, value, false);
	if (c == '\n' || c == '\r' || c == '{' || c == '[' || kind == NAME_AUTH)
		return false;
	if ((c == '|' || c == '>') && line && hide_block(m, name, value))
		return true;
	if (kind == NAME_SCHEME)
		return hide_scheme(m, value);
	while (first < m->n && first < value + 256 && !is_space(m->s[first]) &&
	       !memchr(",;&\"'", m->s[first], 5))
		first++;
	if (is_innocent_value(m->s + value, first - value) ||
	    (kind == NAME_KEY && is_path(m->s + value, first - value)))
		return false;
	hide(m, value, plain_end(m, value, line));
	return true;
}

/* NAME=VALUE, NAME: VALUE, "NAME": "VALUE", --NAME VALUE. */
static bool hide_assignment(struct masker *m, size_t name, size_t end)
{
	bool flag = get(m, name) == '-' && (name == 0 || is_space(m->s[name - 1]) || m->quote);
	enum name_kind kind = classify(m->s + name, end - name);
	size_t sep = end, value;
	char c;

	if (kind == NAME_NONE)
		return false;
	if (get(m, sep) == '\\' && get(m, sep + 1) == '"')
		sep++;
	/* The quote of a name is closed before its value. */
	if (get(m, sep) == '"' || get(m, sep) == '\'') {
		sep++;
		m->quote = 0;
	}
	value = skip_blanks(m, sep);
	c = get(m, value);
	if (c == '=' || c == ':') {
		bool spaced = value > sep && is_blank(get(m, value + 1));
		size_t from = skip_blanks(m, value + 1);

		/* "FILE: reason" is a sentence about a file, and "x= y" an empty value. */
		if ((c == ':' && m->in_path) || (c == '=' && !spaced && from > value + 1))
			return false;
		/* std::token, C:\token */
		if (c == ':' && (get(m, value + 1) == ':' || get(m, value + 1) == '\\') &&
		    get(m, value + 2) != '"')
			return false;
		return hide_value(m, kind, name, from, c == ':' || spaced);
	}
	if (flag && value > sep && c != '-')
		return hide_value(m, kind, name, value, false);
	return false;
}

/* "Bearer X", "Basic X" in any text. */
static bool hide_bearer(struct masker *m, size_t word, size_t end)
{
	size_t value = skip_blanks(m, end), last;

	if (value == end || (!equals_nocase(m->s + word, end - word, "bearer") &&
			     !equals_nocase(m->s + word, end - word, "basic")))
		return false;
	last = credential_end(m, value);
	if (last - value < 8 || !looks_random(m->s + value, KC_MIN(last - value, (size_t)256)))
		return false;
	hide(m, value, last);
	return true;
}

/* [a-z0-9]{6}.[a-z0-9]{16}, by itself: kubeadm's bootstrap tokens. */
static bool is_bootstrap_token(const char *s, size_t n, size_t word, size_t end)
{
	size_t i;

	if (end - word != 6 || n - end < 17 || s[end] != '.' ||
	    (word > 0 && (s[word - 1] == '.' || s[word - 1] == '/')))
		return false;
	for (i = word; i < end + 17; i++) {
		if (i != end && !is_digit(s[i]) && !(s[i] >= 'a' && s[i] <= 'z'))
			return false;
	}
	if (i == n || (!is_word(s[i]) && s[i] != '.'))
		return true;
	/* A full stop of a sentence, not of a name. */
	return s[i] == '.' && (i + 1 == n || !is_word(s[i + 1]));
}

/* eyJ….….…: JSON in base64url, three times. */
static bool hide_web_token(struct masker *m, size_t word, size_t end)
{
	size_t second, third;

	if (end - word < 8 || !starts(m, word, "eyJ") || get(m, end) != '.')
		return false;
	second = word_end(m, end + 1);
	if (second - end < 5 || get(m, second) != '.')
		return false;
	third = word_end(m, second + 1);
	hide(m, word, third);
	return true;
}

/* -----BEGIN … PRIVATE KEY----- to -----END; all of the rest when there is no end. */
static bool hide_private_key(struct masker *m, size_t word)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ", what[] = "PRIVATE KEY";
	const char *head, *tail, *found;
	size_t room;

	if (!starts(m, word, begin))
		return false;
	head = m->s + word + strlen(begin);
	room = KC_MIN(m->n - word - strlen(begin), (size_t)64);
	tail = memmem(head, room, "-----", 5);
	if (!tail || !memmem(head, (size_t)(tail - head), what, strlen(what)))
		return false;
	tail += 5;
	found = memmem(tail, m->n - (size_t)(tail - m->s), end, strlen(end));
	hide(m, (size_t)(tail - m->s), found ? (size_t)(found - m->s) : m->n);
	return true;
}

/* The prefix of a password's hash that crypt(5) begins there; its length, 0 for none. */
static size_t crypt_prefix(const char *s, size_t n)
{
	static const char *const prefixes[] = { "$1$", "$2a$", "$2b$", "$2y$", "$5$",
						"$6$", "$7$",  "$y$",  "$gy$" };

	for (size_t i = 0; i < KC_ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (len <= n && memcmp(s, prefixes[i], len) == 0)
			return len;
	}
	return 0;
}

/* $6$SALT$HASH, as in /etc/shadow: who has it can try passwords. */
static bool hide_hash(struct masker *m)
{
	size_t prefix = crypt_prefix(m->s + m->at, m->n - m->at);
	size_t i = m->at + prefix, most = KC_MIN(m->n, m->at + 256);
	bool salted = false;

	if (!prefix)
		return false;
	for (; i < most && (is_alnum(m->s[i]) || memchr("./$=,-_", m->s[i], 7)); i++)
		salted = salted || m->s[i] == '$';
	if (!salted || i - m->at < 26)
		return false;
	hide(m, m->at, i);
	return true;
}

/* ://user:password@ */
static void mask_url(struct masker *m)
{
	size_t from = m->at + 3, colon = 0, sign = 0, i;

	for (i = from; i < m->n && !is_space(m->s[i]) && !memchr("/?#\"'<>", m->s[i], 7); i++) {
		if (m->s[i] == ':' && !colon)
			colon = i;
		if (m->s[i] == '@')
			sign = i;
	}
	m->in_path = true;
	if (colon && sign > colon)
		hide(m, colon + 1, sign);
	else
		m->at = from;
}

static void mask_word(struct masker *m)
{
	size_t word = m->at, end = word_end(m, word);

	if (hide_private_key(m, word) || hide_assignment(m, word, end) ||
	    hide_bearer(m, word, end) || hide_web_token(m, word, end))
		return;
	if (is_bootstrap_token(m->s, m->n, word, end))
		hide(m, word, end + 17);
	else
		m->at = end;
}

static void mask_other(struct masker *m)
{
	char c = m->s[m->at];

	if (starts(m, m->at, "://")) {
		mask_url(m);
		return;
	}
	if (c == '$' && hide_hash(m))
		return;
	if (c == '/')
		m->in_path = true;
	else if (is_space(c) || memchr("\"'=,;?&(", c, 8))
		m->in_path = false;
	if (c == '"' || c == '\'')
		m->quote = c;
	else if (is_space(c))
		m->quote = 0;
	m->at++;
}

unsigned kc_mask(struct kc_buf *b, const char *text, size_t size)
{
	struct masker m = { .b = b, .s = text, .n = size };

	if (kc_mask_needed(text, size)) {
		while (m.at < m.n) {
			if (is_word(m.s[m.at]))
				mask_word(&m);
			else
				mask_other(&m);
		}
	}
	kc_buf_add(b, text + m.copied, size - m.copied);
	return m.hits;
}

/* What each of the rules above must find in a text that it changes. */
static bool begins_trigger(const char *s, size_t n)
{
	static const char *const triggers[] = { "passw",  "passphrase", "secret",      "token",
						"apikey", "key",	"credential",  "auth",
						"bearer", "basic",	"-----begin ", "://",
						"eyj" };

	for (size_t i = 0; i < KC_ARRAY_SIZE(triggers); i++) {
		size_t len = strlen(triggers[i]);

		if (len <= n && equals_nocase(s, len, triggers[i]))
			return true;
	}
	return crypt_prefix(s, n) > 0;
}

/*
 * Whether two letters can begin a trigger: a bit for each letter that may follow, one for "-" and
 * one for
 * "/". Every text of every report is asked, byte for byte.
 */
static bool may_begin_trigger(unsigned char first, unsigned char second)
{
#define BIT(c) (1u << ((c) - 'a'))
	enum {
		DASH = 1u << 26,
		SLASH = 1u << 27,
	};
	static const uint32_t followers[256] = {
		['p'] = BIT('a'),
		['P'] = BIT('a'),
		['s'] = BIT('e'),
		['S'] = BIT('e'),
		['t'] = BIT('o'),
		['T'] = BIT('o'),
		['a'] = BIT('p') | BIT('u'),
		['A'] = BIT('p') | BIT('u'),
		['k'] = BIT('e'),
		['K'] = BIT('e'),
		['c'] = BIT('r'),
		['C'] = BIT('r'),
		['b'] = BIT('e') | BIT('a'),
		['B'] = BIT('e') | BIT('a'),
		['e'] = BIT('y'),
		['E'] = BIT('y'),
		['-'] = DASH,
		[':'] = SLASH,
	};
	uint32_t bits = followers[first];

	/* A hash of a password, which nothing but its whole prefix tells. */
	if (first == '$')
		return true;
	if (bits == 0)
		return false;
	if (second == '-')
		return bits & DASH;
	if (second == '/')
		return bits & SLASH;
	second |= 0x20;
	return second >= 'a' && second <= 'z' && (bits & BIT(second));
#undef BIT
}

bool kc_mask_needed(const char *text, size_t size)
{
	for (size_t i = 0; i + 1 < size; i++) {
		if (may_begin_trigger((unsigned char)text[i], (unsigned char)text[i + 1]) &&
		    begins_trigger(text + i, size - i))
			return true;
		if (text[i] == '.' && i >= 6 && (i == 6 || !is_word(text[i - 7])) &&
		    is_bootstrap_token(text, size, i - 6, i))
			return true;
	}
	return false;
}
