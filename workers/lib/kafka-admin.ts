import type { Admin } from 'kafkajs';
import type { Kafka } from './kafkajs.ts';

/** Does `work` with an admin client of its own. Throws kafkajs's errors, and what `work` does. */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
