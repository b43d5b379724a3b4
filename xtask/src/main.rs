//! The project's own commands: what cargo and trunk can't say alone. They get the tools, build the
//! viewer and the server in the right order, and run tests, checks and benchmarks.
//!
//! Nothing of the product lives here, and nothing in the product calls this.

mod args;
mod bench;
mod beside;
mod check;
mod clients;
mod dist;
mod encoder;
mod fetch;
mod fingerprint;
mod glue;
mod imports;
mod licences;
mod page;
mod parts;
mod photos;
mod project;
mod release;
mod run;
mod test;
mod tools;
mod viewer;
mod wasm;
mod zig;

use std::process::ExitCode;

use args::Task;
use project::Project;

fn main() -> ExitCode {
    if let Some(code) = tools::stand_in_for_wasm_opt() {
        return code;
    }
    let task = match args::parse(std::env::args_os().skip(1)) {
        Ok(task) => task,
        Err(usage) => {
            eprintln!("error: {usage}\n\nSee `cargo xtask --help`.");
            return ExitCode::from(2);
        }
    };
    match perform(task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<ExitCode> {
    if task == Task::Help {
        print!("{}", args::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let project = Project::find()?;
    match task {
        Task::Help => Ok(ExitCode::SUCCESS),
        Task::Run { profile, options } => run::run(&project, profile, &options),
        Task::Build { profile } => run::build(&project, profile).map(|_| ExitCode::SUCCESS),
        Task::Test { arguments } => test::test(&project, &arguments),
        Task::Bench {
            names,
            beside,
            options,
        } => bench::bench(&project, &names, beside.as_deref(), &options),
        Task::Check { parts } => check::check(&project, &parts),
        Task::Photos { n, folder } => {
            photos::make(std::path::Path::new(&folder), n).map(|()| ExitCode::SUCCESS)
        }
        Task::Dist { targets } => dist::dist(&project, &targets).map(|()| ExitCode::SUCCESS),
        Task::Libraries => dist::libraries(&project).map(|()| ExitCode::SUCCESS),
        Task::Image { target } => {
            dist::image(&project, target.as_deref()).map(|()| ExitCode::SUCCESS)
        }
        Task::Tools => tools::ensure_all(&project).map(|()| ExitCode::SUCCESS),
        Task::Clients => clients::ensure(&project).map(|()| ExitCode::SUCCESS),
    }
}
