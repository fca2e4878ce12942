// From scores to probabilities, for every widget that shows what a network answers.

/** What softmax makes of scores. The largest is taken away first: that changes no share, and no number grows too large. */
export function softmax(scores, temperature = 1) {
  const highest = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp((score - highest) / temperature));
  const sum = powers.reduce((one, other) => one + other, 0);
  return powers.map((power) => power / sum);
}
