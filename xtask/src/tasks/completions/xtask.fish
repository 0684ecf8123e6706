# Completes `cargo xtask`; in config.fish: cargo xtask completions fish | source, in this repository
function __xtask_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    cargo xtask complete -- $words[3..] (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command cargo --condition '__fish_seen_subcommand_from xtask' --arguments '(__xtask_complete)'
