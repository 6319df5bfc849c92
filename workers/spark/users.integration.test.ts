import { deadLetters } from './test/dead-letters.ts';
import { streamingJob } from './test/streaming-job.ts';
import { usersStand } from './test/users.ts';

streamingJob('with users, some of which it can’t read', usersStand, deadLetters);
