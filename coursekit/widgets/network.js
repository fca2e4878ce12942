// A small network without a library: layers told in words, weights of 16 bits, a picture in, scores out.
// What stands here is all that happens; sizes are [channels, height, width].

/** A number of 16 bits: a sign, five bits of exponent, ten of what comes after the point. */
function half(bits) {
  const [sign, exponent, part] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, (bits & 1023) / 1024];
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + part) : 2 ** -14 * part);
}

/** Numbers of 16 bits, lower byte first, as they are in a file. */
export function halves(bytes) {
  const numbers = new Float32Array(bytes.length / 2);
  for (let at = 0; at < numbers.length; at += 1) numbers[at] = half(bytes[2 * at] | (bytes[2 * at + 1] << 8));
  return numbers;
}

const length = (old, size, stride, padding) => Math.floor((old + 2 * padding - size) / stride) + 1;

const KINDS = {
  convolution({ outputs, size, stride, padding }, { values, shape: [inputs, high, wide] }, take) {
    const [rows, columns] = [length(high, size, stride, padding), length(wide, size, stride, padding)];
    const [weights, biases] = [take(outputs * inputs * size * size), take(outputs)];
    const result = new Float32Array(outputs * rows * columns);
    for (let output = 0, number = 0; output < outputs; output += 1) {
      const there = output * rows * columns;
      result.fill(biases[output], there, there + rows * columns);
      for (let input = 0; input < inputs; input += 1) {
        for (let down = -padding; down < size - padding; down += 1) {
          for (let right = -padding; right < size - padding; right += 1, number += 1) {
            // One weight is laid over the whole picture, shifted by its place in the pattern.
            const weight = weights[number];
            const first = Math.max(0, Math.ceil(-right / stride));
            const last = Math.min(columns - 1, Math.floor((wide - 1 - right) / stride));
            for (let row = 0; row < rows; row += 1) {
              const line = row * stride + down;
              if (line < 0 || line >= high) continue;
              const from = (input * high + line) * wide + right;
              const to = there + row * columns;
              for (let column = first; column <= last; column += 1) result[to + column] += weight * values[from + column * stride];
            }
          }
        }
      }
    }
    return { values: result, shape: [outputs, rows, columns] };
  },
  linear({ outputs }, { values }, take) {
    const [weights, biases] = [take(outputs * values.length), take(outputs)];
    const result = biases.slice();
    for (let output = 0; output < outputs; output += 1) {
      for (let at = 0; at < values.length; at += 1) result[output] += weights[output * values.length + at] * values[at];
    }
    return { values: result, shape: [outputs, 1, 1] };
  },
  relu: (_, { values, shape }) => ({ values: values.map((value) => Math.max(value, 0)), shape }),
  largest({ size, stride }, { values, shape: [channels, high, wide] }) {
    const [rows, columns] = [length(high, size, stride, 0), length(wide, size, stride, 0)];
    const result = new Float32Array(channels * rows * columns).fill(-Infinity);
    for (let line = 0, at = 0; line < channels * rows; line += 1) {
      const from = Math.floor(line / rows) * high * wide + (line % rows) * stride * wide;
      for (let column = 0; column < columns; column += 1, at += 1) {
        for (let down = 0; down < size; down += 1) {
          for (let right = 0; right < size; right += 1) {
            result[at] = Math.max(result[at], values[from + down * wide + column * stride + right]);
          }
        }
      }
    }
    return { values: result, shape: [channels, rows, columns] };
  },
  mean(_, { values, shape: [channels, high, wide] }) {
    const area = high * wide;
    const sums = new Float32Array(channels);
    values.forEach((value, at) => { sums[Math.floor(at / area)] += value / area; });
    return { values: sums, shape: [channels, 1, 1] };
  },
};

/** The scores that a network gives for a picture. */
export function scoresOf(layers, weights, picture, shape) {
  let used = 0;
  const take = (count) => weights.subarray(used, used += count);
  return layers.reduce((grid, layer) => KINDS[layer.kind](layer, grid, take), { values: picture, shape }).values;
}
