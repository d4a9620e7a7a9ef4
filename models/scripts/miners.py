"""Hard-example miners as scores per frame, computed from recorded rows; higher is harder.

Rows are [x1, y1, x2, y2, score], all rows of the little detector down to a low score (0.05).
A row is displayed when its score reaches `display`. Nothing here looks at the big model's rows
except `Feedback`, which sees them only after its frame was uploaded.
"""
import numpy as np

import vision_common as vc

MATCH = 0.3


def logistic(values):
    return 1 / (1 + np.exp(-values))


def calibrated(scores, slope, offset):
    """Probability that a row is right: logistic(slope * logit(score) + offset)."""
    scores = np.clip(scores, 1e-4, 1 - 1e-4)
    return logistic(slope * np.log(scores / (1 - scores)) + offset)


def pairs(first, second, threshold=MATCH):
    """For each first row the index of its second row or -1: greedy, best first score first."""
    overlap, partner = vc.iou(first, second), np.full(len(first), -1)
    free = np.ones(len(second), bool)
    for index in np.argsort(-first[:, 4], kind="stable"):
        if not free.any():
            break
        candidates = np.where(free, overlap[index], -1)
        if candidates.max() >= threshold:
            partner[index] = candidates.argmax()
            free[partner[index]] = False
    return partner


def disagreement(first, second, threshold=MATCH):
    """1 - F1 of two row lists."""
    hits = int((pairs(first, second, threshold) >= 0).sum())
    return 1 - vc.f1(hits, len(first) - hits, len(second) - hits)


def expected_loss(probability, displayed, extra=0.0):
    """1 - expected F1: 1 - 2 * sum(p of displayed) / (displayed count + sum(p) + extra misses)."""
    total = displayed.sum() + probability.sum() + extra
    return 1 - 2 * probability[displayed].sum() / total if total > 0 else 0.0


class ExpectedLoss:
    """The expected-F1 miner; with `decay` > 0 it remembers the rows of earlier frames.

    Memory: rows [x1, y1, x2, y2, p]. A remembered row that overlaps a current row lifts that row's
    p to at least decay * remembered p. One that overlaps none stays as a likely miss with
    decay * p, until that falls to `keep` or below.
    """

    def __init__(self, display, slope=1.0, offset=0.0, decay=0.0, keep=0.05):
        self.display, self.slope, self.offset = display, slope, offset
        self.decay, self.keep = decay, keep
        self.memory = np.zeros((0, 5))

    def __call__(self, rows):
        displayed = rows[:, 4] >= self.display
        now = rows.copy()
        now[:, 4] = calibrated(rows[:, 4], self.slope, self.offset)
        lost = np.zeros((0, 5))
        if self.decay > 0:
            partner = pairs(self.memory, rows)
            for remembered, index in zip(self.memory, partner):
                if index >= 0:
                    now[index, 4] = max(now[index, 4], self.decay * remembered[4])
            lost = self.memory[partner < 0].copy()
            lost[:, 4] *= self.decay
            lost = lost[lost[:, 4] > self.keep]
            self.memory = np.concatenate([now[now[:, 4] > self.keep], lost])
        return expected_loss(now[:, 4], displayed, lost[:, 4].sum())

    def learn(self, big):
        """After an upload the big model's rows become the memory, each with p = 1."""
        self.memory = np.concatenate([big[:, :4], np.ones((len(big), 1))], 1)


def run(miner, frames):
    return np.array([miner(rows) for rows in frames], float)


def entropy(scores):
    scores = np.clip(scores, 1e-9, 1 - 1e-9)
    return -(scores * np.log(scores) + (1 - scores) * np.log(1 - scores))


def mean_or_zero(values):
    return float(np.mean(values)) if len(values) else 0.0


def band(rows, low, high):
    return ((rows[:, 4] >= low) & (rows[:, 4] < high)).sum()


def crowding(rows):
    overlap = vc.iou(rows, rows)
    return (overlap.sum() - np.trace(overlap)) / 2 / max(1, len(rows))


def at_edge(rows, border=8):
    return (rows[:, 0] < border) | (rows[:, 1] < border) | \
        (rows[:, 2] > vc.FRAME_W - border) | (rows[:, 3] > vc.FRAME_H - border)


def jitter(rows, before):
    """Mean of 1 - IoU over the rows found in both frames."""
    partner, overlap = pairs(rows, before), vc.iou(rows, before)
    return mean_or_zero([1 - overlap[i, j] for i, j in enumerate(partner) if j >= 0])


def motion(rows, before):
    """Mean shift of the matched centres, in box heights."""
    partner, steps = pairs(rows, before), []
    for row, index in zip(rows, partner):
        if index >= 0:
            step = (row[:2] + row[2:4] - before[index][:2] - before[index][2:4]) / 2
            steps.append(np.hypot(*step) / max(1.0, row[3] - row[1]))
    return mean_or_zero(steps)


def soft_disagreement(rows, other):
    """Score differences of paired rows plus scores of unpaired ones, relative to all scores."""
    partner = pairs(rows, other)
    paired = partner[partner >= 0]
    difference = np.abs(rows[partner >= 0, 4] - other[paired, 4]).sum()
    alone = rows[partner < 0, 4].sum() + np.delete(other[:, 4], paired).sum()
    return (difference + alone) / max(1e-9, rows[:, 4].sum() + other[:, 4].sum())


def row_scores(rows, display):
    """Candidates that need only the rows of the frame."""
    shown = rows[rows[:, 4] >= display]
    count, scores = len(shown), np.sort(shown[:, 4])
    size = np.sqrt(np.clip((shown[:, 2:4] - shown[:, :2]).prod(1), 0, None))
    low = rows[(rows[:, 4] >= 0.1) & (rows[:, 4] < display)]
    return {
        "Sedna IBT, shown rows, box .5": mean_or_zero(shown[:, 4] <= 0.5),
        "Sedna IBT, all rows, box .5": mean_or_zero(rows[:, 4] <= 0.5),
        "Sedna Threshold (mean), shown rows": 1 - scores.mean() if count else 0,
        "Sedna Threshold (mean), all rows": 1 - rows[:, 4].mean() if len(rows) else 0,
        "lowest shown score": 1 - scores[0] if count else 0,
        "margin to display": -np.abs(rows[:, 4] - display).min() if len(rows) else -1,
        "entropy sum": entropy(rows[:, 4]).sum(),
        "entropy mean": mean_or_zero(entropy(rows[:, 4])),
        "band .1-.4 count": band(rows, 0.1, 0.4),
        "band .1-.4 / shown": band(rows, 0.1, 0.4) / max(1, count),
        "band .2-.6 count": band(rows, 0.2, 0.6),
        "band .2-.6 / shown": band(rows, 0.2, 0.6) / max(1, count),
        "shown count": count,
        "crowding": crowding(shown),
        "hidden rows on shown ones": vc.iou(low, shown).max(1).sum() / count
        if count and len(low) else 0,
        "rows at the frame edge": mean_or_zero(at_edge(shown)),
        "small boxes": -mean_or_zero(size)}


def memory_scores(frames, index, display):
    """Candidates that compare with earlier frames."""
    def shown(i):
        rows = frames[max(0, i)]
        return rows[rows[:, 4] >= display]
    now, before = shown(index), shown(index - 1)
    recent = [len(shown(index - k)) for k in range(5)]
    return {
        "count change": abs(len(now) - len(before)),
        "count change vs mean of 5": abs(len(now) - np.mean(recent)),
        "count below max of 5": (max(recent) - len(now)) / max(1, max(recent)),
        "flicker (rows unmatched)": disagreement(now, before),
        "flicker, soft": soft_disagreement(frames[index], frames[max(0, index - 1)]),
        "box jitter": jitter(now, before),
        "motion": motion(now, before)}


def shift_scores(rows, shifted, display):
    """Candidates that need a second run of the little model on a shifted input."""
    shown, other = rows[rows[:, 4] >= display], shifted[shifted[:, 4] >= display]
    return {"shift disagreement, IoU .5 (2 runs)": disagreement(shown, other, 0.5),
            "shift disagreement, IoU .3 (2 runs)": disagreement(shown, other, 0.3),
            "shift disagreement, soft (2 runs)": soft_disagreement(rows, shifted)}
