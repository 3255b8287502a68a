// Preloaded where TypeScript is run beside the package: what it imports from src comes from .build, where `build.mjs .build` has compiled
// it as users get it. The loader of TypeScript would compile all of src at each start, and writes code of its own around every function
// that has a name, which takes as long as the rest of a read from an embedded database.
import { registerHooks } from 'node:module';

const sources = new URL('../src/', import.meta.url).href;
const built = new URL('../.build/', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const wanted = specifier.startsWith('.') && context.parentURL ? new URL(specifier, context.parentURL).href : '';
    if (!wanted.startsWith(sources)) return next(specifier, context);
    return { url: built + wanted.slice(sources.length), shortCircuit: true };
  },
});
