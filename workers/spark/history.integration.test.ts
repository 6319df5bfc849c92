import { epochs } from './test/epochs.ts';
import { removedUnread } from './test/removed.ts';
import { streamingJob } from './test/streaming-job.ts';

streamingJob('with what is sent again, or was removed before it was read', epochs, removedUnread);
