// Names that do not depend on the folder of the checkout: the same sources give the same bytes.
module.exports = { optimization: { moduleIds: 'natural', chunkIds: 'named' } };
