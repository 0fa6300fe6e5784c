//! A plot with two logarithmic axes, as SVG.

use std::fmt::Write as _;

/// One line of a plot.
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 480.0;
/// Left, top, right and bottom of the area that is plotted on.
const AREA: (f64, f64, f64, f64) = (64.0, 48.0, 600.0, 424.0);
/// How far apart names are at least.
const STEP: f64 = 17.0;
/// Colours that are told apart by people who see red and green alike, too (Okabe and Ito), and two greys.
const COLOURS: [&str; 9] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b4c9a", "#555555", "#a0522d"];

/// One axis: from which power of ten to which, and where on the page.
struct Axis {
    from: f64,
    to: f64,
    place: (f64, f64),
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, place: (f64, f64)) -> Self {
        let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| *value > 0.0) {
            (from, to) = (from.min(value.log10().floor()), to.max(value.log10().ceil()));
        }
        if !from.is_finite() {
            (from, to) = (0.0, 1.0);
        }
        Self { from, to: to.max(from + 1.0), place }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE).log10() - self.from) / (self.to - self.from);
        self.place.0 + (self.place.1 - self.place.0) * share
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        (self.from as i32..=self.to as i32).map(|power| 10_f64.powi(power))
    }
}

/// Draws lines over two logarithmic axes.
pub fn log_log(title: &str, across: &str, up: &str, lines: &[Line]) -> String {
    let (left, top, right, bottom) = AREA;
    let points = || lines.iter().flat_map(|line| &line.points);
    let x = Axis::over(points().map(|point| point.0), (left, right));
    let y = Axis::over(points().map(|point| point.1), (bottom, top));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\" \
         fill=\"#333\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{left}\" y=\"26\" font-size=\"15\">{title}, {up}</text>\n"
    );
    for value in y.powers() {
        let at = y.at(value);
        let _ = writeln!(svg, "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            at + 4.0,
            short(value)
        );
    }
    for value in x.powers() {
        let at = x.at(value);
        let _ = writeln!(svg, "<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#ddd\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            short(value)
        );
    }
    let middle = f64::midpoint(left, right);
    let _ =
        writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{across}</text>", bottom + 40.0);
    let names =
        apart(lines.iter().map(|line| line.points.last().map_or(bottom, |point| y.at(point.1))).collect());
    for (n, (line, name)) in lines.iter().zip(names).enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        let places: Vec<(f64, f64)> =
            line.points.iter().map(|point| (x.at(point.0), y.at(point.1))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join("L")
        );
        for (x, y) in &places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        if let Some((x, y)) = places.last() {
            let _ = writeln!(
                svg,
                "<path d=\"M{:.1} {y:.1}L{:.1} {name:.1}\" stroke=\"{colour}\" stroke-width=\".6\"/>",
                x + 5.0,
                right + 20.0
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            right + 24.0,
            name + 4.0,
            line.name
        );
    }
    svg + "</svg>\n"
}

/// Moves places so far that they are apart, in their order.
fn apart(places: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    let mut moved = places.clone();
    // Down from the top first, then up again from the bottom of the area.
    let mut free = f64::NEG_INFINITY;
    for n in &order {
        moved[*n] = places[*n].max(free);
        free = moved[*n] + STEP;
    }
    let mut free = AREA.3;
    for n in order.iter().rev() {
        moved[*n] = moved[*n].min(free);
        free = moved[*n] - STEP;
    }
    moved
}

fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.0} million", v / 1e6),
        v if v >= 1e3 => format!("{:.0},000", v / 1e3),
        v => format!("{v}"),
    }
}
