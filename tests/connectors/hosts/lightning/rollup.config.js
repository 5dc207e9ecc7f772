// Builds the component with Salesforce's own open-source compiler, engine and base components. What only an org has is put
// in place here: Apex is asked for by the page, and switches of the platform stand as in an org with synthetic shadow.
import lwc from '@lwc/rollup-plugin';
import resolve from '@rollup/plugin-node-resolve';

const APEX = '@salesforce/apex/';
const SWITCHES = {
    'import.meta.env.SSR': 'false',
    'process.env.NODE_ENV': '"production"',
    'features.enableComboboxElementInternals': 'false'
};

const apex = {
    name: 'apex',
    resolveId: (id) => (id.startsWith(APEX) ? `\0${id}` : null),
    load: (id) => (id.startsWith(`\0${APEX}`) ? `export default (given) => window.apex('${id.split('.').pop()}', given);` : null)
};

const switches = {
    name: 'switches',
    transform: (code) => ({ code: Object.entries(SWITCHES).reduce((text, [name, value]) => text.replaceAll(name, value), code), map: null })
};

export default {
    input: 'main.js',
    output: { file: 'built/main.js', format: 'iife', inlineDynamicImports: true },
    plugins: [apex, switches, lwc({ modules: [{ dir: 'modules' }, { npm: 'lightning-base-components' }] }), resolve()],
    onwarn: () => {}
};
