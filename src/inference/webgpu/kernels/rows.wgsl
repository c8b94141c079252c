// Quantised rows, as store-row.wgsl leaves them.

@group(0) @binding(2) var<storage, read> planes: array<u32>;
@group(0) @binding(3) var<storage, read> row_scales: array<u32>;
