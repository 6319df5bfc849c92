import type { Faker } from '@faker-js/faker';
import { faker as da } from '@faker-js/faker/locale/da';
import { faker as de } from '@faker-js/faker/locale/de';
import { faker as deCH } from '@faker-js/faker/locale/de_CH';
import { faker as enAU } from '@faker-js/faker/locale/en_AU';
import { faker as enCA } from '@faker-js/faker/locale/en_CA';
import { faker as enGB } from '@faker-js/faker/locale/en_GB';
import { faker as enIE } from '@faker-js/faker/locale/en_IE';
import { faker as enIN } from '@faker-js/faker/locale/en_IN';
import { faker as enUS } from '@faker-js/faker/locale/en_US';
import { faker as es } from '@faker-js/faker/locale/es';
import { faker as esMX } from '@faker-js/faker/locale/es_MX';
import { faker as fa } from '@faker-js/faker/locale/fa';
import { faker as fi } from '@faker-js/faker/locale/fi';
import { faker as fr } from '@faker-js/faker/locale/fr';
import { faker as nbNO } from '@faker-js/faker/locale/nb_NO';
import { faker as nl } from '@faker-js/faker/locale/nl';
import { faker as ptBR } from '@faker-js/faker/locale/pt_BR';
import { faker as srRS } from '@faker-js/faker/locale/sr_RS_latin';
import { faker as tr } from '@faker-js/faker/locale/tr';
import { faker as uk } from '@faker-js/faker/locale/uk';

export type Nationality = { nat: string; country: string; faker: Faker };

/** The nationalities of the API's version 1.4, each with names and places of its own. */
export const NATIONALITIES: readonly Nationality[] = [
  { nat: 'AU', country: 'Australia', faker: enAU },
  { nat: 'BR', country: 'Brazil', faker: ptBR },
  { nat: 'CA', country: 'Canada', faker: enCA },
  { nat: 'CH', country: 'Switzerland', faker: deCH },
  { nat: 'DE', country: 'Germany', faker: de },
  { nat: 'DK', country: 'Denmark', faker: da },
  { nat: 'ES', country: 'Spain', faker: es },
  { nat: 'FI', country: 'Finland', faker: fi },
  { nat: 'FR', country: 'France', faker: fr },
  { nat: 'GB', country: 'United Kingdom', faker: enGB },
  { nat: 'IE', country: 'Ireland', faker: enIE },
  { nat: 'IN', country: 'India', faker: enIN },
  { nat: 'IR', country: 'Iran', faker: fa },
  { nat: 'MX', country: 'Mexico', faker: esMX },
  { nat: 'NL', country: 'Netherlands', faker: nl },
  { nat: 'NO', country: 'Norway', faker: nbNO },
  { nat: 'NZ', country: 'New Zealand', faker: enAU },
  { nat: 'RS', country: 'Serbia', faker: srRS },
  { nat: 'TR', country: 'Turkey', faker: tr },
  { nat: 'UA', country: 'Ukraine', faker: uk },
  { nat: 'US', country: 'United States', faker: enUS },
];

/** The nationalities that a comma-separated list names; all of them where it names none we know, as the API does. */
export function parseNationalities(list: string): readonly Nationality[] {
  const wanted = new Set(list.toUpperCase().split(','));
  const found = NATIONALITIES.filter(({ nat }) => wanted.has(nat));
  return found.length > 0 ? found : NATIONALITIES;
}
