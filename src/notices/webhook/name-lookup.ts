import { Injectable } from '@nestjs/common';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';

/** Finds the addresses of a name, as the system does. */
@Injectable()
export class NameLookup {
  addressesOf(name: string): Promise<LookupAddress[]> {
    return lookup(name, { all: true });
  }
}
