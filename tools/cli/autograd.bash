# Completion of `autograd` for bash: commands, options, operations, files behind name=@.
_autograd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} options
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'eval grad explain graph check ops --help --version' -- "$word")
        return
    fi
    case $before in
        -o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        -k | --seed | --depth | --title | --wrt | --jvp) return ;;
    esac
    case $command in
        eval) options='--json --f32 --seed' ;;
        grad) options='--wrt --hessian --jvp --json --f32 --seed' ;;
        explain) options='--wrt -k --json --f32 --seed' ;;
        graph) options='-o --check --backward --depth --dark --title --f32 --seed' ;;
        check) options='--wrt --json --f32 --seed' ;;
        ops) options='--json -o' ;;
        *) options= ;;
    esac
    case $word in
        -*) mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$word") ;;
        @*) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -P @ -- "${word#@}") ;;
        *)
            if [ "$command" = ops ]; then
                options=$(autograd ops 2>/dev/null | sed -n 's/^  \([a-z0-9_]*\)(.*/\1/p')
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
            elif [ "$command" = graph ] || [ "$command" = check ]; then
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -X '!*.aggraph' -- "$word"; compgen -d -- "$word")
            fi ;;
    esac
}
complete -F _autograd autograd
