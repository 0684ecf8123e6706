# Completes `cargo xtask`; in config.fish: cargo xtask completions fish | source, in this repository
function __xtask_is_meant
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    test "$words[2]" = xtask
end
function __xtask_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    cargo xtask complete -- $words[3..] (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command cargo --condition __xtask_is_meant --arguments '(__xtask_complete)'
