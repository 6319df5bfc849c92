import { randomBytes } from 'node:crypto';
import { type Nationality, parseNationalities } from './nationalities.ts';
import type { SourceUser } from './users.ts';

export type Query = {
  results: number;
  page: number;
  /** The seed of the request, or a fresh one of its own. */
  seed: string;
  seeded: boolean;
  nationalities: readonly Nationality[];
  include: string[];
  exclude: string[];
};

const MAX_RESULTS = 5000;
const MAX_PAGE = 1_000_000_000;

/** Reads a request's query; like the API, it takes a number that is out of bounds for 1. */
export function parseQuery(parameters: URLSearchParams): Query {
  const seed = parameters.get('seed') ?? '';
  return {
    results: bounded(parameters.get('results'), MAX_RESULTS),
    page: bounded(parameters.get('page'), MAX_PAGE),
    seed: seed || randomBytes(8).toString('hex'),
    seeded: seed !== '',
    nationalities: parseNationalities(parameters.get('nat') ?? ''),
    include: list(parameters.get('inc')),
    exclude: list(parameters.get('exc')),
  };
}

/** The fields of `user` that the query asked for: those of `inc`, or all, without those of `exc`. */
export function selectFields(user: SourceUser, { include, exclude }: Query): Partial<SourceUser> {
  if (include.length === 0 && exclude.length === 0) return user;
  const wanted = (field: string) =>
    (include.length === 0 || include.includes(field)) && !exclude.includes(field);
  return Object.fromEntries(Object.entries(user).filter(([field]) => wanted(field)));
}

function bounded(value: string | null, max: number): number {
  const number = Number(value ?? 1);
  return Number.isInteger(number) && number >= 1 && number <= max ? number : 1;
}

function list(value: string | null): string[] {
  return (value ?? '')
    .split(',')
    .map((field) => field.trim().toLowerCase())
    .filter(Boolean);
}
