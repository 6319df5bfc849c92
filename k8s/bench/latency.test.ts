import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { between, type Histogram, histogramOf, quantile, total } from './latency.ts';

const EXPOSITION = `# TYPE latency_seconds histogram
latency_seconds_bucket{le="1.0"} 50.0
latency_seconds_bucket{le="2.0"} 90.0
latency_seconds_bucket{le="+Inf"} 100.0
latency_seconds_count 100.0
other_bucket{le="1.0"} 7.0`;
const SEEN: Histogram = [
  [1, 50],
  [2, 90],
  [Number.POSITIVE_INFINITY, 100],
];

describe('a histogram of latencies', () => {
  test('is read from Prometheus’ text', () => {
    assert.deepEqual(histogramOf(EXPOSITION, 'latency_seconds'), SEEN);
    assert.equal(total(SEEN), 100);
  });

  test('tells what came since an earlier look', () => {
    assert.deepEqual(between([[1, 20]], SEEN), [
      [1, 30],
      [2, 90],
      [Number.POSITIVE_INFINITY, 100],
    ]);
  });

  const quantiles: [share: number, seconds: number][] = [
    [0.25, 0.5],
    [0.5, 1],
    [0.7, 1.5],
    [0.99, 2],
  ];
  for (const [share, seconds] of quantiles) {
    test(`has its ${share} quantile at ${seconds} s`, () => assert.equal(quantile(SEEN, share), seconds));
  }
});
