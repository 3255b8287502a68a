/** An Error as plain data. What it does not have of its own is left out. */
export interface ErrorData {
  readonly message: string;
  readonly name?: string;
  readonly stack?: string;
  readonly cause?: unknown;
}

/** Whether it is an Error of no other class. */
export function isError(value: unknown): value is Error {
  return value instanceof Error && Object.getPrototypeOf(value) === Error.prototype;
}

export function dataOfError(error: Error): ErrorData {
  const { message, name, stack, cause } = error;
  return {
    message,
    ...(Object.hasOwn(error, 'name') && { name }),
    ...(stack !== undefined && { stack }),
    ...(Object.hasOwn(error, 'cause') && { cause }),
  };
}

export function errorOfData({ message, name, stack, ...rest }: ErrorData): Error {
  const error = new Error(message, 'cause' in rest ? { cause: rest.cause } : {});
  if (name !== undefined) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
