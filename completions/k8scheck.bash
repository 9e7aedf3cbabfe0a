# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of k8scheck(1) for bash 4.2 and later. It needs nothing of the package bash-completion, whose loader finds
# it in share/bash-completion/completions; only a command behind -- is completed by its functions where they are there.
# What k8scheck knows is asked by its verb list, and by rollback --list as root; nothing else is run.

# A word as it is typed, without the quoting of bash, as far as that is done without evaluating it.
_k8scheck_plain() {
    plain=${1//[\\\"\']/}
    # shellcheck disable=SC2088
    [ "${plain:0:2}" != '~/' ] || plain=$HOME/${plain:2}
}

# _k8scheck_ask ARGUMENT…: the first column of what k8scheck lists; nothing when it fails.
_k8scheck_ask() {
    local line
    "$program" "$@" --color never 2>/dev/null </dev/null | while read -r line; do
        printf '%s\n' "${line%%[[:space:]]*}"
    done
}

# Profiles that are files are read by k8scheck: nothing but regular ones, for - and a FIFO would keep it waiting.
_k8scheck_add_profile() {
    case $1 in
    '' | -) ;;
    */* | *.yaml | *.yml) [ ! -f "$1" ] || profiles+=(--profile "$1") ;;
    *) profiles+=(--profile "$1") ;;
    esac
}

# _k8scheck_of_profiles ARGUMENT…: of those that are named on the line, or of every one that is installed.
_k8scheck_of_profiles() {
    local name
    if [ ${#profiles[@]} -gt 0 ]; then
        "$@" "${profiles[@]}"
        return
    fi
    while read -r name; do
        "$@" --profile "$name"
    done < <(_k8scheck_ask list profiles)
}

_k8scheck_rules() {
    _k8scheck_of_profiles _k8scheck_ask list rules "${places[@]}"
}

_k8scheck_effective() {
    "$program" list rules --effective "$@" --color never 2>/dev/null </dev/null
}

_k8scheck_tags() {
    local line
    _k8scheck_of_profiles _k8scheck_effective "${places[@]}" | while read -r line; do
        case $line in
        'tags: ['*) line=${line#*[} && line=${line%%]*} && tr -d '" ' <<<"${line//,/$'\n'}" ;;
        esac
    done | sort -u
}

# RULE. of each rule, and RULE.FIELD= once the rule is typed.
_k8scheck_fields() {
    local rule=${1%%.*} line
    if [ "$rule" = "$1" ]; then
        _k8scheck_rules | while read -r line; do printf '%s.\n' "$line"; done
        return
    fi
    case $rule in
    '' | *[!A-Za-z0-9_-]*) return ;;
    esac
    _k8scheck_of_profiles _k8scheck_effective "${places[@]}" --rule "$rule" | while read -r line; do
        case $line in
        '- '* | 'with:'*) ;;
        *': '*) printf '%s.%s=\n' "$rule" "${line%%:*}" ;;
        esac
    done
}

_k8scheck_transactions() {
    [ "$EUID" -ne 0 ] || _k8scheck_ask rollback --list "${root[@]}" | grep -x '[0-9]*-[0-9TZ]*'
}

# _k8scheck_offer PREFIX TYPED WORD…: those that go on from what is typed, behind the prefix.
_k8scheck_offer() {
    local prefix=$1 typed=$2 word
    shift 2
    for word in "$@"; do
        [ -z "$word" ] || [ "${word:0:${#typed}}" != "$typed" ] || COMPREPLY+=("$prefix$word")
    done
}

# _k8scheck_offer_lines PREFIX TYPED COMMAND…: what a command prints.
_k8scheck_offer_lines() {
    local lines
    mapfile -t lines < <("${@:3}")
    _k8scheck_offer "$1" "$2" "${lines[@]}"
}

# _k8scheck_files PREFIX TYPED [d]
_k8scheck_files() {
    local name plain
    _k8scheck_plain "$2"
    compopt -o filenames 2>/dev/null
    while IFS= read -r name; do
        COMPREPLY+=("$1$name")
    done < <(compgen "-${3:-f}" -- "$plain")
}

# _k8scheck_value OPTION PREFIX TYPED: what may stand behind an option.
_k8scheck_value() {
    local prefix=$2 typed=$3
    case $1 in
    --profile)
        _k8scheck_files "$prefix" "$typed"
        _k8scheck_offer_lines "$prefix" "$typed" _k8scheck_ask list profiles
        ;;
    --root | --plugin-dir) _k8scheck_files "$prefix" "$typed" d ;;
    --vars) _k8scheck_files "$prefix" "$typed" ;;
    --horizon) _k8scheck_offer "$prefix" "$typed" now boot all ;;
    --stage) _k8scheck_offer "$prefix" "$typed" host runtime kubelet cluster ;;
    --format) _k8scheck_offer "$prefix" "$typed" text json ansible ;;
    --color) _k8scheck_offer "$prefix" "$typed" auto always never ;;
    --sandbox) _k8scheck_offer "$prefix" "$typed" best-effort require off ;;
    --rule | --skip) _k8scheck_offer_lines "$prefix" "$typed" _k8scheck_rules ;;
    --tag) _k8scheck_offer_lines "$prefix" "$typed" _k8scheck_tags ;;
    --set)
        compopt -o nospace 2>/dev/null
        _k8scheck_offer_lines "$prefix" "$typed" _k8scheck_fields "$typed"
        ;;
    --forget) _k8scheck_offer_lines "$prefix" "$typed" _k8scheck_transactions ;;
    --report)
        if [ "$typed" != "${typed#*=}" ]; then
            _k8scheck_files "$prefix${typed%%=*}=" "${typed#*=}"
        else
            _k8scheck_offer_lines "$prefix" "$typed" _k8scheck_ask list reports
        fi
        ;;
    esac
}

# _k8scheck_options TYPED: those that go with the verb; with none, the host is judged.
_k8scheck_options() {
    local options=(--color --help --version)
    case $verb in
    list) options+=(--profile --effective --plugin-dir --rule --skip --stage --tag --set --var --vars) ;;
    explain) options+=(--profile --plugin-dir --set --var --vars) ;;
    lint) options+=(--plugin-dir --set --var --vars) ;;
    rollback) options+=(--root --live --list --dry-run --yes --drained --force --forget --quiet --verbose) ;;
    help | version) return ;;
    *)
        options+=(--profile --root --live --horizon --rule --skip --stage --tag --var --vars --set --timeout)
        options+=(--deadline --jobs --sandbox --plugin-dir --strict --fix --dry-run --format --yes)
        options+=(--allow-weaken --drained --resume --report --quiet --verbose)
        ;;
    esac
    _k8scheck_offer '' "$1" "${options[@]}"
}

# A word that is no option.
_k8scheck_word() {
    case $verb in
    '') _k8scheck_offer '' "$1" check list explain lint rollback help version ;;
    list)
        [ "$words_behind" -gt 0 ] ||
            _k8scheck_offer '' "$1" profiles rules checks plugins facts reports
        ;;
    explain)
        _k8scheck_offer_lines '' "$1" _k8scheck_rules
        _k8scheck_offer_lines '' "$1" _k8scheck_ask list checks "${places[@]}"
        ;;
    lint) _k8scheck_value --profile '' "$1" ;;
    rollback) [ "$words_behind" -gt 0 ] || _k8scheck_offer_lines '' "$1" _k8scheck_transactions ;;
    esac
}

# The command behind --, from its index in COMP_WORDS on.
_k8scheck_command() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif [ "$COMP_CWORD" -eq "$1" ]; then
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    else
        _k8scheck_files '' "${COMP_WORDS[COMP_CWORD]}"
    fi
}

_k8scheck() {
    # What _k8scheck_ask and the like know of the line.
    local program verb='' words_behind=0 profiles=() places=() root=()
    local words=() starts=() word i option='' cut typed plain value
    COMPREPLY=()
    _k8scheck_plain "$1"
    program=$plain
    # Words as k8scheck gets them: bash cuts at = and :, too.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [ "$i" -gt 1 ] && { [[ $word == [=:]* ]] || [[ ${COMP_WORDS[i - 1]} == *[=:] ]]; }; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word") starts+=("$i")
        fi
    done
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        _k8scheck_plain "${words[i]}"
        word=$plain
        value=$word
        if [ -n "$option" ]; then
            word=$option option=
        elif [ "$word" = -- ]; then
            _k8scheck_command "$((starts[i] + 1))"
            return
        else
            case $word in
            --*=*)
                value=${word#*=} word=${word%%=*}
                # shellcheck disable=SC2088
                [ "${value:0:2}" != '~/' ] || value=$HOME/${value:2}
                ;;
            --live)
                root+=(--live)
                continue
                ;;
            --profile | --root | --horizon | --rule | --skip | --stage | --tag | --set | --var | --vars | --report | \
                --plugin-dir | --jobs | --timeout | --deadline | --sandbox | --color | --format | --forget)
                option=$word
                continue
                ;;
            -?*) continue ;;
            *)
                if [ -n "$verb" ]; then ((words_behind++)); else verb=$word; fi
                continue
                ;;
            esac
        fi
        case $word in
        --profile) _k8scheck_add_profile "$value" ;;
        --plugin-dir) places+=(--plugin-dir "$value") ;;
        --vars) [ ! -f "$value" ] || places+=(--vars "$value") ;;
        --var) places+=(--var "$value") ;;
        --root) root+=(--root "$value") ;;
        esac
    done
    typed=${words[${#words[@]} - 1]}
    if [ -n "$option" ]; then
        _k8scheck_value "$option" '' "$typed"
    elif [[ $typed == --*=* ]]; then
        _k8scheck_value "${typed%%=*}" "${typed%%=*}=" "${typed#*=}"
    elif [[ $typed == -* ]] || { [ -z "$typed$verb" ] && [ ${#profiles[@]} -gt 0 ]; }; then
        _k8scheck_options "$typed"
    else
        _k8scheck_word "$typed"
        [ -n "$typed" ] || [ ${#COMPREPLY[@]} -gt 0 ] || _k8scheck_options ''
    fi
    # bash puts a reply in place of what stands behind its last cut alone.
    word=${COMP_WORDS[COMP_CWORD]}
    [[ $word != [=:] ]] || word=
    cut=$((${#typed} - ${#word}))
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=${COMPREPLY[i]:cut}
    done
}

complete -F _k8scheck k8scheck
