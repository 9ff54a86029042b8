# Completion for lbproxyctl in bash. Applications, upstreams and clients are
# those of the server, if there is one that answers within a second.
# Copyright and licence: see LICENSE at the top of the tree.

# Sets words and cur: the command line up to the cursor, with what bash breaks
# at a colon or an equals sign put together again.
_lbproxyctl_words() {
	local line=${COMP_LINE:0:COMP_POINT} i word

	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((i > 0)) && [[ $line != [[:blank:]]* ]]; then
			words[${#words[@]} - 1]+=$word
		else
			words+=("$word")
			line=${line#"${line%%[![:blank:]]*}"}
		fi
		line=${line#"$word"}
	done
	cur=${words[${#words[@]} - 1]}
}

# Offers those of its arguments that begin with the current word. They may
# come from the server: they are compared and quoted, and never expanded.
_lbproxyctl_offer() {
	local word quoted done_with=

	# What readline replaces begins after the last colon.
	[[ $COMP_WORDBREAKS != *:* ]] || done_with=${cur%"${cur##*:}"}
	for word; do
		[[ $word == "$cur"* ]] || continue
		printf -v quoted %q "${word#"$done_with"}"
		COMPREPLY+=("$quoted")
	done
}

_lbproxyctl_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

# Prints what the status of the server names, a line each: "app ID",
# "upstream ID URL", "client ID", with tabs. Of JSON it relies on a quotation
# mark in a string having a backslash before it.
_lbproxyctl_status() {
	timeout 1 "${words[0]}" "${server[@]}" --json status 2>/dev/null |
		awk '
		function each(text, key, prefix,   value) {
			while (match(text, "\"" key "\":\"[^\"\\\\]*\"")) {
				value = substr(text, RSTART, RLENGTH - 1)
				text = substr(text, RSTART + RLENGTH)
				print prefix substr(value, length(key) + 5)
			}
		}
		{
			apps = $0
			sub(/.*"apps":\[/, "", apps)
			clients = apps
			sub(/\],"clients":\[.*/, "", apps)
			sub(/.*\],"clients":\[/, "", clients)
			sub(/\],"clients_left_out":.*/, "", clients)
			count = split(apps, app, /[{]"id":"/)
			for (i = 2; i <= count; i++) {
				id = substr(app[i], 1, index(app[i], "\"") - 1)
				print "app\t" id
				each(app[i], "url", "upstream\t" id "\t")
			}
			each(clients, "client", "client\t")
		}' | sort -u
}

# _lbproxyctl_named KIND [APP]: offers what the server has of a kind.
_lbproxyctl_named() {
	local kind first second found=()

	while IFS=$'\t' read -r kind first second; do
		case $kind in
		"$1")
			if [[ $kind != upstream ]]; then
				found+=("$first")
			elif [[ $first == "$2" ]]; then
				found+=("$second")
			fi
			;;
		esac
	done < <(_lbproxyctl_status)
	_lbproxyctl_offer "${found[@]}"
}

# _lbproxyctl_after OPTION: completes its value; fails if it takes none.
_lbproxyctl_after() {
	case $1 in
	-c | --config | -s | --socket | --cert) _lbproxyctl_files ;;
	--app) _lbproxyctl_named app ;;
	--client) _lbproxyctl_named client ;;
	--serial | --reject) ;;
	*) return 1 ;;
	esac
}

# Completes what follows a command, which the other words are.
_lbproxyctl_argument() {
	case $1,$# in
	drain,1 | resume,1) _lbproxyctl_named app ;;
	drain,2 | resume,2) _lbproxyctl_named upstream "$2" ;;
	kill,1) _lbproxyctl_offer --client ;;
	explain,*) _lbproxyctl_offer --cert --serial --reject --app ;;
	esac
}

_lbproxyctl() {
	local words cur i server=() arguments=()

	COMPREPLY=()
	_lbproxyctl_words
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		-c | --config | -s | --socket)
			server+=("${words[i]}" "${words[i + 1]/#\~\//$HOME/}")
			((++i))
			;;
		--cert | --serial | --reject | --app | --client) ((++i)) ;;
		-*) ;;
		*) arguments+=("${words[i]}") ;;
		esac
	done
	! _lbproxyctl_after "${words[${#words[@]} - 2]}" || return 0
	if ((${#arguments[@]} > 0)); then
		_lbproxyctl_argument "${arguments[@]}"
	elif [[ $cur == -* ]]; then
		_lbproxyctl_offer -c --config -s --socket --json --version -h \
			--help
	else
		_lbproxyctl_offer status sessions top drain resume kill reload \
			explain
	fi
}

complete -F _lbproxyctl lbproxyctl
