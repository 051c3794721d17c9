import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';

/**
 * On a controller or a route: refusals that its OpenAPI document names. The document takes the example of
 * each from the words of the dialect itself.
 *
 * @param type the class of their bodies; several where a status has bodies of several shapes.
 * @param reasons by status: when that happens, in a few words.
 */
export function ApiRefusals(
  type: Type | Type[],
  reasons: Record<number, string>,
): ClassDecorator & MethodDecorator {
  const types = [type].flat();
  const [only] = types;
  const body =
    types.length === 1 && only
      ? { type: only }
      : { schema: { anyOf: types.map((one) => ({ $ref: getSchemaPath(one) })) } };
  return applyDecorators(
    ApiExtraModels(...types),
    ...Object.entries(reasons).map(([status, description]) =>
      ApiResponse({ status: Number(status), ...body, description }),
    ),
  );
}
