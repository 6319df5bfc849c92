import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfter } from './fetch.ts';
import { requestUrl, sequenceName, sourceName } from './request.ts';

const source = {
  url: 'https://api.example/api/1.4/?key=SECRET&gender=female&page=7',
  batchSize: 500,
  intervalMs: 1000,
  seed: 'a b&c',
  nationalities: ['FR', 'DE'],
  rateLimit: { users: 20_000, perMs: 300_000 },
};

test('a page is asked for beside the parameters that the user gave himself', () => {
  const parameters = Object.fromEntries(requestUrl(source, 3).searchParams);
  const own = { key: 'SECRET', gender: 'female' };
  assert.deepEqual(parameters, { ...own, page: '3', results: '500', nat: 'FR,DE', seed: 'a b&c' });
});

test('a random batch is asked for without seed, and without nationalities where none are given', () => {
  const { searchParams } = requestUrl({ ...source, url: 'http://a/', nationalities: [] }, undefined);
  assert.deepEqual([...searchParams.keys()], ['results']);
});

test('a sequence is named after all that its users depend on, and betrays no parameter', () => {
  const others = [
    { batchSize: 100 },
    { seed: 'b' },
    { nationalities: [] },
    { url: 'https://api.example/api/' },
  ];
  const names = [{}, ...others].map((change) => sequenceName({ ...source, ...change }));
  assert.equal(new Set(names).size, names.length);
  assert.equal(sequenceName({ ...source, intervalMs: 5 }), names[0]);
  assert.doesNotMatch(names.join() + sourceName(source), /SECRET/);
});

test('Retry-After is read as seconds or as a date, and bounded', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const headers = ['120', 'Thu, 01 Jan 2026 00:00:30 GMT', 'Wed, 31 Dec 2025 00:00:00 GMT', '99999999'];
  const waits = headers.map((header) => retryAfter(header, now));
  assert.deepEqual(waits, [120_000, 30_000, 0, 3_600_000]);
  for (const none of [null, '', 'soon']) assert.equal(retryAfter(none, now), undefined);
});
