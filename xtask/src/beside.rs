//! `bench --beside COMMIT`: the benchmarks of the checkout and of another commit in turn, and how their figures stand to
//! one another. What a machine does meanwhile meets both; how far one commit's two rounds are apart says what is noise.

use std::{
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::{
    bench::Bench,
    dist,
    fetch::remove,
    project::{Project, output, succeed},
};

/// Another commit, unpacked beside the build.
pub(crate) struct Reference {
    /// As git names it in short.
    name: String,
    checkout: PathBuf,
}

impl Reference {
    /// Unpacks a commit, with the viewer of this checkout: its server takes one in, and none is measured.
    pub(crate) fn unpack(project: &Project, commit: &str) -> anyhow::Result<Self> {
        let mut git = project.command("git");
        git.args(["rev-parse", "--verify", "--quiet", "--short=12"])
            .arg(format!("{commit}^{{commit}}"));
        let name = output(&mut git)
            .with_context(|| format!("`{commit}` is no commit of this repository"))?
            .trim()
            .to_owned();
        let home = project.target.join("beside");
        let checkout = home.join(&name);
        remove(&checkout)?;
        fs::create_dir_all(&checkout)
            .with_context(|| format!("{} can't be made", checkout.display()))?;
        let tar = home.join(format!("{name}.tar"));
        let mut archive = project.command("git");
        archive.args(["archive", "--output"]).arg(&tar).arg(&name);
        succeed(&mut archive)?;
        let mut unpack = project.command("tar");
        unpack.arg("--extract").arg("--file").arg(&tar);
        succeed(unpack.arg("--directory").arg(&checkout))?;
        fs::remove_file(&tar).with_context(|| format!("{} can't be removed", tar.display()))?;
        dist::copy(&project.dist, &checkout.join("dist"))?;
        Ok(Self { name, checkout })
    }

    /// Runs a benchmark there and here, twice each and the second time in the other order, and tells the ratios.
    pub(crate) fn run(
        &self,
        project: &Project,
        bench: &Bench,
        options: &[OsString],
        library: &Path,
    ) -> anyhow::Result<()> {
        // The same for both: each would look for them beside its own sources.
        let photos = Some(project.root.join("../shared/photos"));
        let photos =
            photos.filter(|photos| photos.is_dir() && std::env::var_os("MANTEL_PHOTOS").is_none());
        let round = |checkout: &Path, whose: &str| {
            eprintln!("\n{}, {whose}", bench.name);
            let mut cargo = bench.command(project, options, library);
            // What both are made of is compiled once.
            cargo.env("CARGO_TARGET_DIR", &project.target);
            if let Some(photos) = &photos {
                cargo.env("MANTEL_PHOTOS", photos);
            }
            let told = output(cargo.current_dir(checkout))?;
            print!("{told}");
            anyhow::Ok(told)
        };
        let (there, here) = (&self.checkout, &project.root);
        let before = round(there, &self.name)?;
        let now = round(here, "this checkout")?;
        let now = [now, round(here, "this checkout again")?];
        let before = [before, round(there, &format!("{} again", self.name))?];
        println!(
            "\n{}: this checkout to {}, and in brackets that one's second round to its first",
            bench.name, self.name
        );
        for line in compare(&before, &now) {
            println!("{line}");
        }
        Ok(())
    }
}

/// A line of what a benchmark tells: its numbers, and the words around them.
#[derive(Debug, PartialEq)]
struct Told {
    words: Vec<String>,
    numbers: Vec<f64>,
}

impl Told {
    fn read(line: &str) -> Self {
        let (mut words, mut numbers) = (Vec::new(), Vec::<f64>::new());
        let mut was_number = false;
        for word in line.split_whitespace() {
            let bare = word.trim_matches(|c: char| ",;:|()%".contains(c));
            // 1,170 is one number.
            let number = bare.replace(',', "").parse::<f64>().ok();
            if let Some(number) = number.filter(|number| number.is_finite()) {
                numbers.push(number);
                was_number = true;
                continue;
            }
            // A time that has grown from microseconds to milliseconds is of the same line.
            let scale = match bare {
                "ns" => Some(1e-9),
                "µs" => Some(1e-6),
                "ms" => Some(1e-3),
                "s" => Some(1.0),
                _ => None,
            };
            match (scale, numbers.last_mut()) {
                (Some(scale), Some(number)) if was_number => *number *= scale,
                _ => words.push(word.to_owned()),
            }
            was_number = false;
        }
        Self { words, numbers }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.words == other.words && self.numbers.len() == other.numbers.len()
    }
}

/// One number's ratio, and that of the reference's second round to its first.
#[derive(Debug, PartialEq)]
struct Ratio {
    now: f64,
    noise: f64,
}

impl Ratio {
    /// `None` of numbers that are the same in all four rounds: how many viewers, how many photos.
    fn of(before: [f64; 2], now: [f64; 2]) -> Option<Self> {
        let is_setting = now == before && now[0] == now[1];
        let sum = before[0] + before[1];
        (!is_setting && sum != 0.0 && before[0] != 0.0).then(|| Self {
            now: (now[0] + now[1]) / sum,
            noise: before[1] / before[0],
        })
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2})", self.now, self.noise)
    }
}

/// Each line that all four rounds tell, as the first round here told it, and behind it the ratios of its numbers.
/// Of lines with the same words the nth is held against the nth.
fn compare(before: &[String; 2], now: &[String; 2]) -> Vec<String> {
    let read = |text: &String| text.lines().map(Told::read).collect::<Vec<_>>();
    let (before, now_told) = (before.each_ref().map(read), now.each_ref().map(read));
    let mut lines = Vec::new();
    for (at, (line, told)) in now[0].lines().zip(&now_told[0]).enumerate() {
        let nth = now_told[0][..at]
            .iter()
            .filter(|other| other.is_like(told))
            .count();
        let same = |round: &'_ Vec<Told>| {
            let mut alike = round.iter().filter(|other| other.is_like(told));
            alike.nth(nth).map(|told| told.numbers.clone())
        };
        let (Some(there), Some(there_again), Some(again)) =
            (same(&before[0]), same(&before[1]), same(&now_told[1]))
        else {
            continue;
        };
        let ratios: Vec<String> = (0..told.numbers.len())
            .filter_map(|n| Ratio::of([there[n], there_again[n]], [told.numbers[n], again[n]]))
            .map(|ratio| ratio.to_string())
            .collect();
        if !ratios.is_empty() {
            lines.push(format!("{}\n      {}", line.trim_end(), ratios.join("  ")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_words_and_its_numbers_in_seconds() {
        let told = Told::read("╰─ fit  25.6 ms │ 1,170 viewers: 38 %");
        assert_eq!(told.words, ["╰─", "fit", "│", "viewers:", "%"]);
        assert_eq!(told.numbers, [0.0256, 1170.0, 38.0]);
        assert!(Told::read("a 900 µs").is_like(&Told::read("a 1.2 ms")));
        assert!(!Told::read("a 900 µs").is_like(&Told::read("b 900 µs")));
        // A word that is no number, though Rust would read it as one.
        assert_eq!(Told::read("inf NaN").words, ["inf", "NaN"]);
    }

    #[test]
    fn ratios_are_of_what_differs() {
        let texts = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        let before = texts("100 viewers, 10 ms\nold 3", "100 viewers, 11 ms\nold 3");
        let now = texts("100 viewers, 21 ms\nnew 3", "100 viewers, 21 ms\nnew 3");
        assert_eq!(
            compare(&before, &now),
            ["100 viewers, 21 ms\n      2.00 (1.10)"]
        );
    }

    #[test]
    fn lines_of_the_same_words_keep_their_order() {
        let texts = |text: &str| [text.to_owned(), text.to_owned()];
        let lines = compare(
            &texts("| 1 | 4 |\n| 2 | 8 |"),
            &texts("| 1 | 2 |\n| 2 | 2 |"),
        );
        assert_eq!(
            lines,
            [
                "| 1 | 2 |\n      0.50 (1.00)",
                "| 2 | 2 |\n      0.25 (1.00)"
            ]
        );
    }
}
