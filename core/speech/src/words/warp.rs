//! Dynamic time warping.

/// Neighbours of which a weight becomes the median, itself among them.
const NEIGHBOURS: usize = 7;

/// The position at which the path that collects the largest weights comes to each row of `weights`, `[rows, positions]`. It goes from the
/// first row and position to the last ones, a row, a position or both at a time.
pub(super) fn starts(weights: &[f32], positions: usize) -> Vec<usize> {
    let rows = weights.len() / positions;
    // With a row and a position before the first ones.
    let stride = positions + 1;
    let mut costs = vec![f32::INFINITY; (rows + 1) * stride];
    costs[0] = 0.0;
    let mut steps = vec![Step::Both; (rows + 1) * stride];
    for row in 1..=rows {
        for position in 1..=positions {
            let at = row * stride + position;
            let ways = [
                (Step::Both, costs[at - stride - 1]),
                (Step::Row, costs[at - stride]),
                (Step::Position, costs[at - 1]),
            ];
            let (step, cost) = ways.into_iter().reduce(|a, b| if b.1 < a.1 { b } else { a }).unwrap_or(ways[0]);
            costs[at] = cost - weights[(row - 1) * positions + position - 1];
            steps[at] = step;
        }
    }
    let mut starts = vec![0; rows];
    let (mut row, mut position) = (rows, positions);
    while row > 0 && position > 0 {
        starts[row - 1] = position - 1;
        match steps[row * stride + position] {
            Step::Both => (row, position) = (row - 1, position - 1),
            Step::Row => row -= 1,
            Step::Position => position -= 1,
        }
    }
    starts
}

#[derive(Clone, Copy)]
enum Step {
    Both,
    Row,
    Position,
}

/// Each number becomes the median of its neighbours; at the ends, they are mirrored.
pub(super) fn smooth(row: &mut [f32]) {
    let reach = NEIGHBOURS / 2;
    if row.len() <= reach {
        return;
    }
    let before = row.to_vec();
    let last = before.len() - 1;
    let mirrored = |at: usize| match at.checked_sub(reach) {
        Some(at) if at <= last => before[at],
        Some(at) => before[2 * last - at],
        None => before[reach - at],
    };
    for (at, out) in row.iter_mut().enumerate() {
        let mut neighbours: [f32; NEIGHBOURS] = std::array::from_fn(|neighbour| mirrored(at + neighbour));
        neighbours.sort_unstable_by(f32::total_cmp);
        *out = neighbours[reach];
    }
}

/// The middle one of numbers; zero of none.
pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_follows_the_largest_weights() {
        #[rustfmt::skip]
        let weights = [
            9.0, 9.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 9.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 9.0, 9.0, 9.0,
        ];
        assert_eq!(starts(&weights, 6), [0, 2, 3]);
        // More rows than positions: some share one.
        assert_eq!(starts(&[1.0; 6], 2).len(), 3);
        assert_eq!(starts(&[], 3), [0; 0]);
    }

    #[test]
    fn single_peaks_are_smoothed_away() {
        let mut row = [0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        smooth(&mut row);
        assert_eq!(row, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let mut short = [3.0, 1.0];
        smooth(&mut short);
        assert_eq!(short, [3.0, 1.0]);
    }

    #[test]
    fn medians() {
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![]), median(vec![4.0])), (2.0, 0.0, 4.0));
    }
}
