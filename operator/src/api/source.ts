import { z } from 'zod';
import { characters, integer, interval, url } from './scalars.ts';

export const source = z
  .object({
    url: url(
      "The API's address, as in https://randomuser.me/api/1.4/. Query parameters in it are kept.",
      'give a key by a query parameter, which no message names',
    ),
    batchSize: integer('Users to ask for in a request.', 1, 5000).default(500),
    interval: interval('Time between two requests.').default('10s'),
    seed: characters(128)
      .regex(/^\P{Cc}*$/u, 'must not hold control characters')
      .default('')
      .meta({
        description:
          'Set: the pages of one fixed sequence of users, each fetched once. Empty: new random users each time.',
      }),
    nationalities: z
      .array(
        z
          .string()
          .max(2)
          .regex(/^[A-Za-z]{2}$/)
          .meta({ description: 'Two-letter code, as in DE.' }),
      )
      .max(50)
      .default([])
      .meta({ description: 'Nationalities to ask for; empty: all.', 'x-kubernetes-list-type': 'set' }),
    rateLimit: z
      .object({
        users: integer('Users that may be asked for in the period.', 1, 10_000_000).default(20_000),
        per: interval('The period that the budget is for.').default('300s'),
      })
      .prefault({})
      .meta({ description: "The API's budget, never exceeded." }),
  })
  .meta({
    description: 'Where the users come from.',
  });
