# shellcheck shell=sh
# Events on their way to the coordinator, as files on the volume; sourced by the hooks and by `deliver`.
#
#   pending/<pid of receive-pack>   what a running push wants: lines `id before after ref repository pusher at`
#   outbox/<number>                 what a push did: one event a line, as JSON, in the order of the numbers
#   rejected/<id>                   events that the coordinator will never take
#
# A push is noted before git moves a ref and queued after. If the server dies between the two, `settle` looks at what
# became of the refs. An event's content depends on the note alone, so that it may be sent twice and count once.
state=/srv/git/.state
pending=$state/pending
outbox=$state/outbox
rejected=$state/rejected

# prepare: the folders, and what a server that was killed left half done
prepare() {
    mkdir -p "$pending" "$outbox" "$rejected" "$state/uploads" && [ -w "$state" ] || return 1
    rm -rf "$state"/uploads/* "$state"/new.* "$state"/note.* "$state"/queue.*
    settle all
}

# note: `before after ref` lines on stdin are about to be pushed by our parent process
note() {
    read -r push </proc/sys/kernel/random/uuid
    repository=${PWD#/srv/git/}
    awk -v push="$push" -v rest="${repository%.git} ${REMOTE_USER:-unknown} $(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        '{ print push "-" NR, $0, rest }' >"$state/note.$PPID"
    sync "$state/note.$PPID"
    mv "$state/note.$PPID" "$pending/$PPID"
}

# queue: `before after ref` lines on stdin were pushed by our parent process
queue() {
    [ -e "$pending/$PPID" ] || return 0
    awk 'NR == FNR { pushed[$3]; next } $4 in pushed' - "$pending/$PPID" | enqueue
    rm -f "$pending/$PPID"
}

# settle [all]: brings pushes to an end whose process is gone (all: whatever the process; at the start there is none)
settle() {
    for noted in "$pending"/*; do
        [ -e "$noted" ] || break
        [ "${1-}" != all ] && kill -0 "${noted##*/}" 2>/dev/null && continue
        while read -r line; do
            moved "$line" && echo "$line"
        done <"$noted" | enqueue
        rm -f "$noted"
    done
}

# moved LINE: does the ref stand where the push wanted it?
moved() (
    IFS=' ' read -r _ _ after ref repository _ <<EOF
$1
EOF
    now=$(env -i PATH="$PATH" git --git-dir="/srv/git/$repository.git" rev-parse --quiet --verify "$ref") ||
        now=0000000000000000000000000000000000000000
    [ "$now" = "$after" ]
)

# enqueue: noted lines on stdin become one file of events, whole or not at all
enqueue() (
    new=$(mktemp "$state/queue.XXXXXX")
    awk '{
        gsub(/"/, "\\\"", $4)
        printf "{\"id\":\"%s\",\"before\":\"%s\",\"after\":\"%s\",\"ref\":\"%s\",", $1, $2, $3, $4
        printf "\"repository\":\"%s\",\"pusher\":\"%s\",\"at\":\"%s\"}\n", $5, $6, $7
    }' >"$new"
    if [ -s "$new" ]; then
        sync "$new"
        exec 9>"$state/lock"
        flock 9
        number=1000000001 # all have ten digits: the shell sorts them as numbers
        for last in "$outbox"/*; do
            [ ! -e "$last" ] || number=$((${last##*/} + 1))
        done
        mv "$new" "$outbox/$number"
        sync "$outbox"
    else
        rm -f "$new"
    fi
)
