# Completes `cargo xtask`; in ~/.bashrc: eval "$(cargo xtask completions bash)", in this repository
_xtask() {
  if [ "${COMP_WORDS[1]}" = xtask ] && [ "$COMP_CWORD" -gt 1 ]; then
    mapfile -t COMPREPLY < <(cargo xtask complete -- "${COMP_WORDS[@]:2:COMP_CWORD-1}" 2>/dev/null)
  elif declare -F _cargo >/dev/null; then
    _cargo "$@"
  fi
}
complete -o default -F _xtask cargo
