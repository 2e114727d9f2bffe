"""Every limit that fingers are held to, with its unit and where it comes from.

It decides nothing; the constants of the method itself stand beside the method.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One number that somebody chose, and why."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The limits of one measure of `measures.Measures`.

    Attributes:
        name: as it stands in the findings.
        lowest, highest: the value may lie between them, ends included; None is no limit.
        below, above: value of the hint (`FingerHint`) that mends it.
        refuses: True where outside the limits it is no print at all.
    """

    name: str
    measure: str
    unit: str
    lowest: float | None = None
    highest: float | None = None
    below: str | None = None
    above: str | None = None
    refuses: bool = False
    source: str


# What is an impression at all.
SMALLEST_SIDE: Final = Limit(
    value=64, unit="px at 500 dpi", source="nbis-py 0.1.3 aborts on 8 x 8, 10 x 10 and 300 x 8"
)
LARGEST_SIDE: Final = Limit(
    value=1500, unit="px at 500 dpi", source="76 mm: wider than four fingers; memory and time"
)
LOWEST_DPI: Final = Limit(value=250, unit="dpi", source="half of ISO/IEC 19794-4 level 30")
HIGHEST_DPI: Final = Limit(value=1200, unit="dpi", source="above ISO/IEC 19794-4 level 40 (1000)")
DPI_SLACK: Final = Limit(
    value=0.03, unit="share", source="resampling 508 to 500 dpi blurs more than it corrects"
)

# The worker that computes NFIQ 2.
WORKER_SECONDS: Final = Limit(
    value=8, unit="s", source="0.15 s typical and 1.3 s for 1500 x 1500 measured; a busy machine"
)

# Minutiae.
MINUTIA_FROM: Final = Limit(
    value=0.5,
    unit="LEADER score",
    source="counted as minutiae; nothing that is no finger has eight such; fainter ones still help "
    "to compare (parameters.FAINTEST)",
)
MOST_FOUND: Final = Limit(
    value=255, unit="points", source="ISO/IEC 19794-2 counts them in one byte; a finger has 100"
)
EXTRACTION_SECONDS: Final = Limit(
    value=8,
    unit="s",
    source="0.2 s typical and 2 s for 800 x 800 px measured, 0.5 s to start; a busy machine",
)
LARGEST_FINGER: Final = Limit(
    value=800, unit="px at 500 dpi", source="41 mm: more than one fingertip; time of the network"
)

# Comparing prints.
SAME_FROM: Final = Limit(
    value=3.0,
    unit="score of compare()",
    source="strangers of the development sets reach 1.0 (n 7552), simulated fingers 1.95 (n 28560);"
    " 98.0 % of mates and all 584 mates with NFIQ 2 of 35 are above",
)
CONTROL_FROM: Final = Limit(
    value=1.5,
    unit="score of compare()",
    source="no stranger of the development sets, 6 in 28560 simulated; 99.6 % of mates",
)
OTHER_BELOW: Final = Limit(
    value=0.8,
    unit="score of compare()",
    source="99.9 % of strangers; clear mates (see CLEAR_FROM) start at 3.7",
)
CLEAR_FROM: Final = Limit(
    value=35, unit="NFIQ 2", source="of 584 mates that are this clear none scores under 3.7"
)
CLEAR_MINUTIAE: Final = Limit(value=15, unit="sure points", source="measured with CLEAR_FROM")
FEWEST_MINUTIAE: Final = Limit(
    value=8, unit="sure points", source="fewer say too little to anybody; blank and noise have 0"
)

# Choosing among the impressions of one finger.
QUALITY_SLACK: Final = Limit(
    value=5, unit="NFIQ 2", source="4-bit copies of one picture differ by 3.8..4.5 on average"
)

# What the measures of a print may be. "Seen" are 224 development impressions and, where said,
# changed copies of them; "p1" is their first percentile.
GATES: Final = (
    Gate(
        name="RidgeCoherence",
        measure="coherence",
        unit="share",
        lowest=0.3,
        highest=0.95,
        below="not_a_finger",
        above="not_a_finger",
        refuses=True,
        source="seen 0.34..0.89, cropped to 0.93; noise and dots under 0.28, gratings over 0.97",
    ),
    Gate(
        name="RidgePeriod",
        measure="period",
        unit="mm",
        lowest=0.36,
        highest=0.95,
        below="not_a_finger",
        above="not_a_finger",
        refuses=True,
        source="seen 0.41..0.60, blurred by 2.5 px to 0.93; 4 px squares 0.31, a face 1.06",
    ),
    Gate(
        name="RidgePolarity",
        measure="polarity",
        unit="share of the finger's grey range",
        lowest=0.0,
        below="not_a_finger",
        refuses=True,
        source="seen 0.07..0.59, inverted p95 -0.11; NFIQ 2 gives an inverted print up to 73",
    ),
    Gate(
        name="FingerArea",
        measure="area",
        unit="mm2",
        lowest=80,
        below="more_area",
        source="seen from 106, cropped to 256 x 288 px p1 97; parts with NFIQ 2 of 32 have 67",
    ),
    Gate(
        name="OffCentre",
        measure="off_centre",
        unit="share of the half diagonal",
        highest=0.3,
        above="centre",
        source="seen to 0.34 (p99 0.31)",
    ),
    Gate(
        name="ShareOfRidges",
        measure="ridges",
        unit="share",
        lowest=0.35,
        highest=0.53,
        below="too_dry",
        above="too_wet",
        source="seen p5 0.34, p95 0.50; ridges thinned by 1-2 px p5 0.27, thickened p95 0.58,"
        " simulated dry fingers 0.29..0.35",
    ),
    Gate(
        name="FilledValleys",
        measure="polarity",
        unit="share of the finger's grey range",
        highest=0.7,
        above="press_lighter",
        source="seen to 0.59; ridges thickened by 1-2 px p99 0.76, blurred p95 0.74",
    ),
    Gate(
        name="Contrast",
        measure="contrast",
        unit="grey levels",
        lowest=15,
        below="press_harder",
        source="seen from 18.7; pale copies (20..60 % of the contrast) 5..36",
    ),
    Gate(
        name="FineDetail",
        measure="fine",
        unit="share of the energy",
        highest=0.15,
        above="noisy",
        source="seen to 0.12; with noise of 8..45 levels 0.04..1.2",
    ),
    Gate(
        name="Sharpness",
        measure="period",
        unit="mm",
        highest=0.65,
        above="again",
        source="seen to 0.60; blurred by 1.7 px 0.65",
    ),
)
