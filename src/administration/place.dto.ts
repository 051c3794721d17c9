import type { Location } from '../accounts/location.entity.js';
import type { Organization } from '../accounts/organization.entity.js';
import { IsPrintable, Trimmed } from '../http/validation/fields.js';

const NAME = 100;

/** The body that makes an organization or a location. */
export class CreatePlace {
  /**
   * 1 to 100 printable characters; unique, case-insensitively.
   * @example 'Research'
   */
  @Trimmed()
  @IsPrintable(NAME)
  name!: string;
}

/** An organization or a location. */
export class Place {
  /** @example '7b0e4f0a-2c2f-4e9e-8f0e-0a8a7e0c2f11' */
  id: string;

  /** @example 2 */
  numericId: number;

  /** @example 'Research' */
  name: string;

  createdAt: Date;

  constructor({ id, numericId, name, createdAt }: Organization | Location) {
    this.id = id;
    this.numericId = numericId;
    this.name = name;
    this.createdAt = createdAt;
  }
}

/** An organization or location, where something else names it. */
export class PlaceReference {
  /** @example '7b0e4f0a-2c2f-4e9e-8f0e-0a8a7e0c2f11' */
  id: string;

  /** @example 'Default' */
  name: string;

  constructor({ id, name }: Organization | Location) {
    this.id = id;
    this.name = name;
  }
}

/** One page of organizations or locations, newest first. */
export class PlacePage {
  items: Place[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(places: (Organization | Location)[], nextCursor: string | undefined) {
    this.items = places.map((place) => new Place(place));
    this.nextCursor = nextCursor ?? null;
  }
}
