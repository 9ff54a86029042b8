# Completion for certs-gen in bash.
# Copyright and licence: see LICENSE at the top of the tree.

_certs_gen_options() {
	local issue="--days --not-before --not-after --rsa --serial"

	case $1 in
	ca | intermediate) echo "--name $issue --crl-days --quiet --help" ;;
	client) echo "--toml --app --san --eku $issue --quiet --help" ;;
	server | upstream) echo "--san --eku $issue --quiet --help" ;;
	revoke) echo "--crl-days --quiet --help" ;;
	crl) echo "--crl-days --last-update --next-update --quiet --help" ;;
	*) echo "--help" ;;
	esac
}

# Names of the certificates in a directory that can be revoked. compgen -W
# expands what it is given: only what can be a name gets there.
_certs_gen_names() {
	"${COMP_WORDS[0]}" list "$1" 2>/dev/null | LC_ALL=C awk '
		NR > 1 && $2 != "ca" && $NF != "revoked" &&
			$1 ~ /^[A-Za-z0-9._-]+$/ { print $1 }'
}

# Completes the argument of a command with this number.
_certs_gen_argument() {
	case $1,$2 in
	serial,1)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*,1)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	revoke,2)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_certs_gen_names "$directory")" -- "$cur")
		;;
	esac
}

_certs_gen() {
	local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
	local i word directory count=0

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "ca server client upstream
			intermediate revoke crl list serial --help" -- "$cur")
		return
	fi
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_certs_gen_options "$command")" -- "$cur")
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-q | -h | --quiet | --help | --toml | --rsa) ;;
		-*) ((++i)) ;;
		*)
			((++count))
			((count != 1)) || directory=$word
			;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--eku)
		mapfile -t COMPREPLY < <(compgen -W "server client none" -- \
			"$cur")
		;;
	-q | --quiet | --toml | --rsa | [!-]* | '')
		_certs_gen_argument "$command" $((count + 1))
		;;
	esac
}

complete -F _certs_gen certs-gen
