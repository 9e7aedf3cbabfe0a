# SPDX-License-Identifier: Apache-2.0
#
# Completion of k8scheck(1) for fish 3.0 and later. What k8scheck knows is asked by its verb list, and by rollback --list
# as root; nothing else is run.

# What the line says before the cursor, a word a line: "verb" or "word" and a word, "behind" for a command behind --,
# "ask" and an argument for the lists that depend on it, "root" and one for the list of transactions.
function __k8scheck_line
    set -l option
    for word in (commandline -opc)[2..-1]
        set -l value (string replace -r '^~/' $HOME/ -- $word)
        if test -n "$option"
            set word $option
            set option
        else if test "$word" = --
            echo behind
            return
        else if string match -qr '^--[a-z-]+=' -- $word
            set value (string replace -r '^[^=]*=(~/)?' '$1' -- $word | string replace -r '^~/' $HOME/)
            set word (string replace -r '=.*' '' -- $word)
        else
            switch $word
                case --live
                    printf '%s\n' root --live
                case --profile --root --horizon --rule --skip --stage --tag --set --var --vars --report --plugin-dir \
                        --jobs --timeout --deadline --sandbox --color --format --forget
                    set option $word
                case '-?*'
                case '*'
                    printf '%s\n' word $word
            end
            continue
        end
        switch $word
            case --profile
                # Files are read by k8scheck: nothing but regular ones, for - and a FIFO would keep it waiting.
                if string match -qr '/|\.ya?ml$' -- $value
                    test -f "$value"; and printf '%s\n' profile $value
                else if not contains -- "$value" '' -
                    printf '%s\n' profile $value
                end
            case --vars
                test -f "$value"; and printf '%s\n' ask --vars ask $value
            case --plugin-dir --var
                printf '%s\n' ask $word ask $value
            case --root
                printf '%s\n' root --root root $value
        end
    end
end

# __k8scheck_said KIND: the arguments of one kind.
function __k8scheck_said
    set -l line (__k8scheck_line)
    set -l i 1
    while test $i -le (count $line)
        if test "$line[$i]" = behind
            test $argv[1] = behind; and echo behind
            return
        end
        test "$line[$i]" = $argv[1]; and printf '%s\n' $line[(math $i + 1)]
        set i (math $i + 2)
    end
end

# __k8scheck_verb VERB…: whether one of them is the verb; check is none.
function __k8scheck_verb
    test (count (__k8scheck_said behind)) -eq 0; or return 1
    set -l words (__k8scheck_said word)
    set -l verb check
    set -q words[1]; and set verb $words[1]
    contains -- $verb $argv
end

# __k8scheck_words N: whether so many words stand before the cursor, the verb among them.
function __k8scheck_words
    test (count (__k8scheck_said behind)) -eq 0; and test (count (__k8scheck_said word)) -eq $argv[1]
end

function __k8scheck_program
    set -l words (commandline -opc)
    string replace -r '^~/' $HOME/ -- $words[1]
end

# __k8scheck_ask ARGUMENT…: what k8scheck lists; nothing when it fails.
function __k8scheck_ask
    set -l program (__k8scheck_program)
    command $program $argv --color never 2>/dev/null </dev/null
end

function __k8scheck_list
    __k8scheck_ask $argv | string replace -r '^(\S+)\s+(.*)$' '$1\t$2'
end

# __k8scheck_each ARGUMENT…: of the profiles on the line, or of every one that is installed.
function __k8scheck_each
    set -l named (__k8scheck_said profile)
    set -l said (__k8scheck_said ask)
    if set -q named[1]
        set -l profiles
        for name in $named
            set -a profiles --profile $name
        end
        __k8scheck_ask $argv $said $profiles
        return
    end
    for name in (__k8scheck_ask list profiles | string replace -r '\s.*' '')
        __k8scheck_ask $argv $said --profile $name
    end
end

function __k8scheck_rules
    __k8scheck_each list rules | string replace -r '^(\S+)\s+(?:\S+\s+){3}(.*)$' '$1\t$2'
end

function __k8scheck_tags
    __k8scheck_each list rules --effective | string replace -rf '^  tags: \[(.*)\].*' '$1' | string split , |
        string trim -c '" ' | string match -r '.+' | sort -u
end

# RULE. of each rule, and RULE.FIELD= once the rule is typed.
function __k8scheck_fields
    set -l typed (string replace -r '^--set=' '' -- (commandline -ct))
    set -l rule (string replace -rf '^([A-Za-z0-9_-]+)\..*' '$1' -- $typed)
    if not set -q rule[1]
        __k8scheck_rules | string replace -r '\t.*' '.'
        return
    end
    __k8scheck_each list rules --effective --rule $rule | string replace -rf '^ +([a-z-]+): .*' $rule'.$1='
end

function __k8scheck_reports
    set -l typed (string replace -r '^--report=' '' -- (commandline -ct))
    set -l format (string replace -rf '^([a-z]+)=.*' '$1' -- $typed)
    if set -q format[1]
        for path in (string replace -r '^[^=]*=' '' -- $typed)*
            test -d $path; and set path $path/
            echo $format=$path
        end
    else
        __k8scheck_list list reports
    end
end

function __k8scheck_transactions
    test (id -u) -eq 0; or return
    __k8scheck_list rollback --list (__k8scheck_said root) | string match -r '^[0-9]+-[0-9TZ]+\s.*'
end

# What completes behind --, as behind sudo.
function __k8scheck_command
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words); or return
    set -l rest
    test $at -lt (count $words); and set rest $words[(math $at + 1)..-1]
    complete -C (string join -- ' ' (string escape -- $rest) (commandline -ct))
end

complete -c k8scheck -f
complete -c k8scheck -n 'test (count (__k8scheck_said behind)) -gt 0' -a '(__k8scheck_command)'

# Words.
complete -c k8scheck -n '__k8scheck_words 0' -a check -d 'Judge this host, as without a verb'
complete -c k8scheck -n '__k8scheck_words 0' -a list -d 'List profiles, rules, checks, plugins, facts, reports'
complete -c k8scheck -n '__k8scheck_words 0' -a explain -d 'What a rule or check judges, from where, why'
complete -c k8scheck -n '__k8scheck_words 0' -a lint -d 'Look for faults in profiles'
complete -c k8scheck -n '__k8scheck_words 0' -a rollback -d 'Take the last repair back'
complete -c k8scheck -n '__k8scheck_words 0' -a help -d 'List the options'
complete -c k8scheck -n '__k8scheck_words 0' -a version -d 'Print the version'
complete -c k8scheck -n '__k8scheck_words 1; and __k8scheck_verb list' -a 'profiles rules checks plugins facts reports'
complete -c k8scheck -n '__k8scheck_verb explain' -a '(__k8scheck_rules)'
complete -c k8scheck -n '__k8scheck_verb explain' -a '(__k8scheck_list list checks (__k8scheck_said ask))'
complete -c k8scheck -n '__k8scheck_verb lint' -a '(__k8scheck_list list profiles; __fish_complete_suffix .yaml)'
complete -c k8scheck -n '__k8scheck_words 1; and __k8scheck_verb rollback' -a '(__k8scheck_transactions)'

# What is judged.
complete -c k8scheck -n '__k8scheck_verb check list explain' -l profile -x \
    -a '(__k8scheck_list list profiles; __fish_complete_suffix .yaml)' -d 'The profile'
complete -c k8scheck -n '__k8scheck_verb check rollback' -l root -x -a '(__fish_complete_directories)' \
    -d 'The root of another system'
complete -c k8scheck -n '__k8scheck_verb check rollback' -l live -d 'The root shows the running machine'
complete -c k8scheck -n '__k8scheck_verb check' -l horizon -x -a 'now boot all' -d 'What is judged'
complete -c k8scheck -n '__k8scheck_verb check list' -l rule -x -a '(__k8scheck_rules)' -d 'Only this rule'
complete -c k8scheck -n '__k8scheck_verb check list' -l skip -x -a '(__k8scheck_rules)' -d 'All rules but this one'
complete -c k8scheck -n '__k8scheck_verb check list' -l stage -x -a 'host runtime kubelet cluster' \
    -d 'Only rules of this stage'
complete -c k8scheck -n '__k8scheck_verb check list' -l tag -x -a '(__k8scheck_tags)' -d 'Only rules of this tag'
complete -c k8scheck -n '__k8scheck_verb check list explain lint' -l var -x -d 'A variable, NAME=VALUE'
complete -c k8scheck -n '__k8scheck_verb check list explain lint' -l vars -r -F -d 'Variables from YAML'
complete -c k8scheck -n '__k8scheck_verb check list explain lint' -l set -x -a '(__k8scheck_fields)' \
    -d 'A field or parameter of a rule'

# How.
complete -c k8scheck -n '__k8scheck_verb check' -l timeout -x -d 'For one rule (10s)'
complete -c k8scheck -n '__k8scheck_verb check' -l deadline -x -d 'For the whole run (2m)'
complete -c k8scheck -n '__k8scheck_verb check' -l jobs -x -d 'Most workers that judge at a time'
complete -c k8scheck -n '__k8scheck_verb check' -l sandbox -x -a 'best-effort require off' -d 'What plugins run in'
complete -c k8scheck -n '__k8scheck_verb check list explain lint' -l plugin-dir -x -a '(__fish_complete_directories)' \
    -d 'Where plugins are'
complete -c k8scheck -n '__k8scheck_verb check' -l strict -d 'Recommended rules count like required ones'

# Repair.
complete -c k8scheck -n '__k8scheck_verb check' -l fix -d 'Repair what failed, after it was shown and asked'
complete -c k8scheck -n '__k8scheck_verb check rollback' -l dry-run -d 'Show what would change, change nothing'
complete -c k8scheck -n '__k8scheck_verb check' -l format -x -a 'text json ansible' -d 'The form of the plan'
complete -c k8scheck -n '__k8scheck_verb check rollback' -l yes -d 'Do not ask'
complete -c k8scheck -n '__k8scheck_verb check' -l allow-weaken -d 'Do what weakens the host, too'
complete -c k8scheck -n '__k8scheck_verb check rollback' -l drained -d 'The node runs no pods but daemon sets'
complete -c k8scheck -n '__k8scheck_verb check' -l resume -d 'Go on with a repair that was cut off'
complete -c k8scheck -n '__k8scheck_verb rollback' -l list -d 'The transactions'
complete -c k8scheck -n '__k8scheck_verb rollback' -l force -d 'Undo what others have changed since, too'
complete -c k8scheck -n '__k8scheck_verb rollback' -l forget -x -a '(__k8scheck_transactions)' -d 'Remove a transaction'

# What is printed.
complete -c k8scheck -n '__k8scheck_verb check' -l report -x -a '(__k8scheck_reports)' -d 'FORMAT[=FILE]'
complete -c k8scheck -n '__k8scheck_verb check list explain lint rollback' -l color -x -a 'auto always never' \
    -d 'Colours of the text'
complete -c k8scheck -n '__k8scheck_verb check rollback' -s q -l quiet -d 'Failures and errors alone'
complete -c k8scheck -n '__k8scheck_verb check rollback' -s v -l verbose -d 'Every finding'
complete -c k8scheck -n '__k8scheck_verb list' -l effective -d 'Rules with every field, and who set it'
complete -c k8scheck -n '__k8scheck_verb check list explain lint rollback' -s V -l version -d 'Print the version'
complete -c k8scheck -n '__k8scheck_verb check list explain lint rollback' -s h -l help -d 'List the options'
