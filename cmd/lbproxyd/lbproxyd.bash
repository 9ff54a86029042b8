# Completion for lbproxyd in bash.
# Copyright and licence: see LICENSE at the top of the tree.

_lbproxyd() {
	local cur=${COMP_WORDS[COMP_CWORD]}

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-c | --config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "-c --config -t --check
			--show --version -h --help" -- "$cur")
		;;
	esac
}

complete -F _lbproxyd lbproxyd
