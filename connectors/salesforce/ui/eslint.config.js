const recommended = require('@salesforce/eslint-config-lwc/recommended');
const globals = require('globals');

module.exports = [
    ...recommended,
    { files: ['force-app/**/__tests__/**'], languageOptions: { globals: { ...globals.jest, ...globals.node } } }
];
