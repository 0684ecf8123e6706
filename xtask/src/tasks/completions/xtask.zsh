# Completes `cargo xtask`; in ~/.zshrc, after compinit: eval "$(cargo xtask completions zsh)", in this repository
_xtask() {
  if [[ ${words[2]} == xtask ]] && (( CURRENT > 2 )); then
    local -a found
    found=(${(f)"$(cargo xtask complete -- "${(@)words[3,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then compadd -a found; else _files; fi
  elif typeset -f _cargo >/dev/null; then
    _cargo "$@"
  fi
}
compdef _xtask cargo
