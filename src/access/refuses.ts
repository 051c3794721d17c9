import { applyDecorators, type Type } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

/**
 * On a controller or a route: refusals that its OpenAPI document names, all with a body of one class. The document
 * takes the example of each from the words of the dialect itself.
 *
 * @param reasons by status: when that happens, in a few words.
 */
export function Refuses(type: Type, reasons: Record<number, string>): ClassDecorator & MethodDecorator {
  return applyDecorators(
    ...Object.entries(reasons).map(([status, description]) =>
      ApiResponse({ status: Number(status), type, description }),
    ),
  );
}
