import { z } from 'zod';
import { identifier } from './scalars.ts';

/** The columns that every user has. */
export const BUILT_IN_COLUMNS = [
  'id',
  'first_name',
  'last_name',
  'gender',
  'address',
  'post_code',
  'email',
  'username',
  'dob',
  'registered_date',
  'phone',
  'picture',
  'nationality',
];

/** Columns that Postgres gives every table. */
const SYSTEM_COLUMNS = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'];

const name = identifier('Name of the column, the same in Postgres, Kafka and Cassandra.').meta({
  'x-kubernetes-validations': [
    {
      rule: `!(self in ${JSON.stringify(BUILT_IN_COLUMNS)})`,
      message: `name must not be that of a built-in column, which is filled already: ${BUILT_IN_COLUMNS.join(', ')}; choose another name`,
    },
    {
      rule: `!(self in ${JSON.stringify(SYSTEM_COLUMNS)})`,
      message: `name must not be that of a system column of Postgres: ${SYSTEM_COLUMNS.join(', ')}; choose another name`,
    },
  ],
});

const field = z
  .object({
    name,
    type: z
      .enum(['text', 'timestamp', 'bigint', 'double', 'boolean'])
      .default('text')
      .meta({ description: 'Type of the column.' }),
    path: z
      .string()
      .max(253)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/)
      .meta({
        description:
          "Where the value stands in the API's user: names joined by dots, as in location.coordinates.latitude.",
      }),
  })
  .meta({ description: 'A column, and where its value comes from.' });

export type Field = z.infer<typeof field>;

export const fields = z
  .array(field)
  .max(50)
  .default([])
  .meta({
    description:
      'Columns beside the built-in ones, which flow from the API to Cassandra. One that is taken away here is no longer filled, but stays.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });
