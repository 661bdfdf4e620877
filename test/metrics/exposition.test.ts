import { expect, test } from '@jest/globals';
import { Counter, Histogram, Registry } from '@prometheus-io/client';
import { mergeExpositions } from '../../src/metrics/exposition.ts';

async function textOf(name: string, value: number): Promise<string> {
  const registers = [new Registry()];
  new Counter({ name: 'jobs_total', help: 'Jobs.', labelNames: ['kind'], registers }).inc(
    { kind: name },
    value,
  );
  new Histogram({ name: 'took_seconds', help: 'Time.', buckets: [1], registers }).observe(value);
  return registers[0]?.metrics() ?? '';
}

test('metrics of several processes are combined, and each sample has the labels of its process', async () => {
  const merged = mergeExpositions([
    { text: await textOf('a', 1) },
    { text: await textOf('b', 2), labels: { worker: 'w"1' } },
  ]);
  expect(merged.split('\n')).toEqual([
    '# HELP jobs_total Jobs.',
    '# TYPE jobs_total counter',
    'jobs_total{kind="a"} 1',
    'jobs_total{worker="w\\"1",kind="b"} 2',
    '# HELP took_seconds Time.',
    '# TYPE took_seconds histogram',
    'took_seconds_bucket{le="1"} 1',
    'took_seconds_bucket{le="+Inf"} 1',
    'took_seconds_sum 1',
    'took_seconds_count 1',
    'took_seconds_bucket{worker="w\\"1",le="1"} 0',
    'took_seconds_bucket{worker="w\\"1",le="+Inf"} 1',
    'took_seconds_sum{worker="w\\"1"} 2',
    'took_seconds_count{worker="w\\"1"} 1',
    '',
  ]);
});

test('label values may contain everything that the format allows', () => {
  const text = '# TYPE x gauge\nx{a="} 3 {",b="\\"\\\\"} 1\nx{} 2\n';
  expect(mergeExpositions([{ text, labels: { worker: 'w' } }])).toBe(
    '# TYPE x gauge\nx{worker="w",a="} 3 {",b="\\"\\\\"} 1\nx{worker="w"} 2\n',
  );
});

test('a sample without a comment is kept, an invalid line is dropped, and empty input gives empty output', () => {
  expect(mergeExpositions([{ text: 'lonely 1\n<html>\n' }])).toBe('lonely 1\n');
  expect(mergeExpositions([{ text: '' }])).toBe('');
});
