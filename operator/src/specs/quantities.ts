import type { V1ResourceRequirements } from '@kubernetes/client-node';
import type { Amounts } from '../api/parts.ts';
import { quantityValue } from '../api/scalars.ts';

const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'];
export const MIB = 2 ** 20;

/** The amount with the largest suffix that leaves it whole, as `suffixes` count in steps of `base`. */
function largest(amount: number, base: number, suffixes: string[]): string {
  let [rest, power] = [amount, 0];
  while (rest !== 0 && rest % base === 0 && power < suffixes.length - 1)
    [rest, power] = [rest / base, power + 1];
  return `${rest}${suffixes[power]}`;
}

/** The quantity as the API server writes it back (`1000m` → `1`, `0.5Gi` → `512Mi`): another spelling would never look applied. */
export function canonicalQuantity(quantity: string | number): string {
  const value = quantityValue(quantity);
  const binary = /i$/.test(String(quantity));
  if (binary && value >= 1024) return largest(Math.ceil(value), 1024, BINARY);
  if (Number.isInteger(value)) return largest(value, 1000, DECIMAL);
  return `${Math.ceil(Math.round(value * 1e6) / 1e3)}m`;
}

function canonical({ cpu, memory }: Amounts): Record<string, string> | undefined {
  const amounts = {
    ...(cpu === undefined ? {} : { cpu: canonicalQuantity(cpu) }),
    ...(memory === undefined ? {} : { memory: canonicalQuantity(memory) }),
  };
  return Object.keys(amounts).length > 0 ? amounts : undefined;
}

export type Resources = { requests: Amounts; limits: Amounts };

/** A container's resources from those of the pipeline. */
export function containerResources({ requests, limits }: Resources): V1ResourceRequirements {
  const [asked, most] = [canonical(requests), canonical(limits)];
  return { ...(asked ? { requests: asked } : {}), ...(most ? { limits: most } : {}) };
}

/** The memory in MiB that a process may count on: its limit, else what it asks for, else `fallback`. */
export function memoryMib({ requests, limits }: Resources, fallback: number): number {
  const memory = limits.memory ?? requests.memory;
  return memory === undefined ? fallback : Math.floor(quantityValue(memory) / MIB);
}
