//! Patterns of paths.

/// A path in which `*` stands for anything within a segment, and the segment
/// `**` for any number of segments.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathPattern(Vec<String>);

impl PathPattern {
    pub(super) fn new(pattern: &str) -> Self {
        Self(segments(pattern).map(str::to_owned).collect())
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<_> = segments(path).collect();
        wildcard(
            &self.0,
            &path,
            |part| part == "**",
            |part, segment| {
                let (part, segment) = (part.as_bytes(), segment.as_bytes());
                wildcard(part, segment, |b| *b == b'*', |b, c| b == c)
            },
        )
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Whether the items fit the pattern, in which a star stands for any number of
/// them. When something does not fit, the last star takes one item more, which
/// is enough: a longer stretch for an earlier one would gain nothing. So the
/// time taken is at most the product of both lengths.
fn wildcard<P, T>(
    pattern: &[P],
    items: &[T],
    is_star: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut last_star = None;
    while item < items.len() {
        match pattern.get(at) {
            Some(part) if is_star(part) => {
                last_star = Some((at, item));
                at += 1;
            }
            Some(part) if fits(part, &items[item]) => {
                at += 1;
                item += 1;
            }
            _ => match &mut last_star {
                Some((star, taken)) => {
                    *taken += 1;
                    (at, item) = (*star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use super::PathPattern;

    #[test]
    fn stars_stand_for_what_is_within_a_segment_or_for_segments() {
        for (pattern, fitting, others) in [
            (
                "/a/b",
                &["/a/b", "//a//b/"][..],
                &["/a", "/a/b/c", "/A/b"][..],
            ),
            ("a/b/", &["/a/b"], &["/b"]),
            ("/*/b", &["/a/b", "/x.y/b"], &["/b", "/a/a/b", "/a/bb"]),
            ("/a*c", &["/ac", "/abbc", "/acc"], &["/ab", "/a/c"]),
            ("/*a*b*", &["/ab", "/xaxaxbx"], &["/ba", "/x"]),
            ("/**", &["/", "/a", "/a/b/c"], &[]),
            (
                "**/token",
                &["/token", "/a/b/token"],
                &["/token/a", "/xtoken"],
            ),
            (
                "/a/**/z",
                &["/a/z", "/a/b/c/z", "/a/z/z"],
                &["/a", "/a/z/b"],
            ),
            ("/**/b/**/c", &["/b/c", "/a/b/b/c", "/b/c/b/c"], &["/c/b"]),
            ("/a/**b", &["/a/b", "/a/xb"], &["/a/x/b"]),
            ("", &["/"], &["/a"]),
        ] {
            let pattern = PathPattern::new(pattern);
            for path in fitting {
                assert!(pattern.matches(path), "{pattern:?} {path}");
            }
            for path in others {
                assert!(!pattern.matches(path), "{pattern:?} {path}");
            }
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer() {
        let pattern = PathPattern::new(&"**/*a*a*a*a/".repeat(500));
        assert!(!pattern.matches(&"/aaaaaaaaaaaaaab".repeat(500)));
    }
}
