//! Names of steps as BuildKit 0.25 gave them for this file, and the lines that they mean.

use super::*;

const FILE: &str = "\
ARG B=debian:trixie-slim
FROM $B AS base
WORKDIR /
ENV X=1
RUN echo \"a  b\" \\
  'c' && echo ${HOME} $X \\$X # not
RUN --network=none true
COPY --link \"Dockerfile\" /y
COPY [ \"Dockerfile\", \"/z\" ]
ADD Dockerfile /w
WORKDIR /srv/$X
RUN <<E
echo hi
echo ho
E
RUN true
RUN true

FROM base AS Two
RUN echo two; true
RUN true
RUN [\"echo\", \"x\"]

FROM scratch
COPY --from=two /y /y
COPY --from=base \\
  /z /z
";

#[track_caller]
fn means(name: &str, lines: Option<(usize, usize)>) {
    assert_eq!(lines_of_vertex(&parse(FILE), name), lines, "{name}");
}

#[test]
fn steps_of_every_kind_are_found() {
    means("[base  1/11] FROM docker.io/library/debian:trixie-slim@sha256:77", Some((2, 2)));
    means("[base  2/11] RUN echo \"a  b\"   'c' && echo ${HOME} 1 $X # not", Some((5, 6)));
    means("[base  3/11] RUN --network=none true", Some((7, 7)));
    means("[base  4/11] COPY --link Dockerfile /y", Some((8, 8)));
    means("[base  4/11] LINK COPY --link Dockerfile /y", Some((8, 8)));
    means("[base  5/11] COPY [ Dockerfile, /z ]", Some((9, 9)));
    means("[base  6/11] ADD Dockerfile /w", Some((10, 10)));
    means("[base  7/11] WORKDIR /srv/1", Some((11, 11)));
    means("[base  8/11] RUN <<E (echo hi...)", Some((12, 15)));
    means("[base  9/11] RUN true", Some((16, 16)));
    means("[base 10/11] RUN true", Some((17, 17)));
    means("[two 1/3] RUN echo two; true", Some((20, 20)));
    means("[two 3/3] RUN [\"echo\", \"x\"]", Some((22, 22)));
    means("[stage-2 1/2] COPY --from=two /y /y", Some((25, 25)));
    means("[git-server stage-2 2/2] COPY --from=base   /z /z", Some((26, 27)));
    means("[git-server linux/amd64 base  9/11] RUN true", Some((16, 16)));
    means("[linux/amd64->arm64 base 10/11] RUN true", Some((17, 17)));
    // A base that a named context stands in for is counted, but has no step.
    means("[base  1/11] RUN echo \"a  b\"   'c' && echo ${HOME} 1 $X # not", Some((5, 6)));
    // A base with a trigger moves the rest by one.
    means("[base  2/12] ONBUILD RUN x", Some((2, 2)));
    means("[base 10/12] RUN true", Some((16, 16)));
}

#[test]
fn what_is_no_instruction_or_not_certain_has_no_lines() {
    means("[internal] load build context", None);
    means("[git-server internal] load .dockerignore", None);
    means("exporting to image", None);
    means("[context a] load from client", None);
    means("[toolchain 1/2] FROM docker.io/library/debian:trixie-slim", None);
    means("[base  3/99] RUN something else", None);
    means("[base  0/11] RUN true", None);
    means("[base 12/11] RUN true", None);
    means("[base x/y] RUN true", None);
    means("[", None);
    means("", None);
    means("[base 2/3] RUN true", None);
}

#[test]
fn a_lone_stage_has_no_label() {
    let file = parse("FROM a\nRUN x\nRUN y\n");
    assert_eq!(lines_of_vertex(&file, "[2/3] RUN x"), Some((2, 2)));
    assert_eq!(lines_of_vertex(&file, "[git-server 3/3] RUN y"), Some((3, 3)));
    let file = parse("FROM a AS b\nRUN x\nRUN y\n");
    assert_eq!(lines_of_vertex(&file, "[service 2/3] RUN x"), Some((2, 2)));
    assert_eq!(lines_of_vertex(&file, "[service b 2/3] RUN x"), Some((2, 2)));
}
