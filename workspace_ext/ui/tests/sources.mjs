// Lets Node run the sources, which leave out file names' endings, as the bundler wants them.
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) => {
    const source = new URL(`${specifier}.ts`, context.parentURL);
    return next(specifier.startsWith('.') && existsSync(source) ? source.href : specifier, context);
  }
});
