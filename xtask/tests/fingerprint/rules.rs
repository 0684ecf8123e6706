//! What `.dockerignore` leaves out makes no difference.

use super::tree::Tree;

#[test]
fn rules_touched_with_no_effect_on_what_is_sent() {
    let tree = Tree::new();
    tree.write("services/web/.dockerignore", ".dockerignore\nnothing\n");
    tree.same(|tree| tree.write("services/web/.dockerignore", "# x\n.dockerignore\n\nother\n"));
    tree.differs(|tree| tree.write("services/web/.dockerignore", ".dockerignore\na\n"));
    tree.same(|tree| tree.write("services/web/a", "left out"));
    // Without a rule against it, the file itself is sent.
    tree.differs(|tree| tree.write("services/web/.dockerignore", "a\n"));
    tree.differs(|tree| tree.write("services/web/.dockerignore", "# x\na\n"));
}

#[cfg(unix)]
#[test]
fn a_folder_left_out_is_sent_with_what_is_brought_back() {
    let tree = Tree::new();
    tree.write("services/web/.dockerignore", "*\n!src/deep/c\n");
    tree.same(|tree| tree.folder("services/web/src/deep"));
    tree.differs(|tree| tree.write("services/web/src/deep/c", "c"));
    tree.differs(|tree| tree.chmod("services/web/src/deep", 0o700));
    tree.differs(|tree| tree.chmod("services/web/src", 0o700));
    tree.same(|tree| tree.write("services/web/src/b", "left out"));
}

#[test]
fn rules_beside_the_dockerfile_win() {
    let tree = Tree::new();
    tree.write("services/web/.dockerignore", "a\n*ignore\n");
    tree.differs(|tree| tree.write("services/web/Dockerfile.dockerignore", "src\n*ignore\n"));
    tree.differs(|tree| tree.write("services/web/a", "other"));
    tree.same(|tree| tree.write("services/web/src/b", "other"));
}

#[test]
fn rules_that_nobody_understands_leave_none() {
    let tree = Tree::new();
    tree.write("services/web/.dockerignore", "[\n");
    tree.none("web", "services/web/.dockerignore:1: cannot tell what it leaves out");
}
