//! Tables.

use super::*;

#[test]
fn tables() {
    let rows = [
        ["0", "3500", "The lift is stuck."],
        ["3500", "7250", "Ines will ring the firm by noon."],
        ["7250", "11000", "I take the stairs."],
    ];
    let whisper = |delimiter: &str| rows.map(|row| row.join(delimiter)).join("\n");
    reads(&format!("start\tend\ttext\n{}", whisper("\t")), &three_cues());
    reads(&format!("start,end,text\n{}\n", whisper(",")), &three_cues());
    reads(&whisper(","), &three_cues());
    reads(
        "0.000\t3.500\tThe lift is stuck.\n3.500\t7.250\tInes will ring the firm by noon.\n7.25\t11\tI take the stairs.\n",
        &three_cues(),
    );
    reads(
        "Start Time,End Time,Speaker,Text\n\
            00:00:00,00:00:04,Ines,\"The lift, it \"\"is\"\" stuck.\"\n\
            00:00:04,00:00:09,Omar,\"Good.\"\n",
        &[
            (Some(0.0), Some(4.0), Some("Ines"), "The lift, it \"is\" stuck."),
            (Some(4.0), Some(9.0), Some("Omar"), "Good."),
        ],
    );
    reads("start;end;text\n0,5;3,5;The lift, it is stuck.\n", &[timed(0.5, 3.5, "The lift, it is stuck.")]);
    reads("start,end,text\n0,4,Yes, it is.\n4,9,No.\n", &[timed(0.0, 4.0, "Yes, it is."), timed(4.0, 9.0, "No.")]);
    reads(
        "start\tend\ttext\n0\t900\t\"Well,\" she said.\nx\t\tNo time.\n2000\t2900\tEnd.",
        &[timed(0.0, 0.9, "\"Well,\" she said."), plain("No time."), timed(2.0, 2.9, "End.")],
    );
    reads("10:30, 11:00, 12:00 are free.", &[plain("10:30, 11:00, 12:00 are free.")]);
}
