//! What is to be reached, and what was found.

/// Something to be reached.
struct Goal {
    what: String,
    goal: String,
    found: String,
    reached: bool,
}

/// All of them so far.
#[derive(Default)]
pub struct Goals(Vec<Goal>);

impl Goals {
    /// Notes what was found, and whether that is enough.
    pub fn add(&mut self, what: &str, goal: &str, found: String, reached: bool) {
        println!("{what}: {found} ({goal})");
        self.0.push(Goal { what: what.into(), goal: goal.into(), found, reached });
    }

    /// Whether none was missed.
    pub fn all_reached(&self) -> bool {
        self.0.iter().all(|goal| goal.reached)
    }

    /// The table of the page.
    pub fn table(&self) -> String {
        let mut text = String::from("| | Goal | Measured | |\n|---|---|---|---|\n");
        for goal in &self.0 {
            let reached = if goal.reached { "reached" } else { "**missed**" };
            text += &format!("| {} | {} | {} | {reached} |\n", goal.what, goal.goal, goal.found);
        }
        text
    }
}
