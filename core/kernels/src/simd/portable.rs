use half::f16;

use super::{Simd, wide_dots};
use crate::activations::SUM_ORDER;

const LANES: usize = 8;

/// Plain Rust, for any CPU.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn map<A: Copy, B>(a: [A; LANES], f: impl Fn(A) -> B) -> [B; LANES] {
    std::array::from_fn(|lane| f(a[lane]))
}

#[inline(always)]
fn zip<A: Copy, B: Copy, C>(a: [A; LANES], b: [B; LANES], f: impl Fn(A, B) -> C) -> [C; LANES] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

#[inline(always)]
fn dot(sum: u32, a: u32, b: u32, widen: impl Fn(u8) -> i32) -> u32 {
    let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
    let dot: i32 = products.map(|(a, b)| widen(a) * i32::from(b.cast_signed())).sum();
    sum.wrapping_add_signed(dot)
}

impl Simd for Portable {
    const LANES: usize = LANES;
    const SIGNED_OFFSET: i32 = 0;

    type F32 = [f32; LANES];
    type Int = [u32; LANES];
    type Four = *const f32;
    type Sixteen = *const i8;

    wide_dots!();

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::F32 {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::F32 {
        from.cast::<Self::F32>().read_unaligned()
    }

    #[inline(always)]
    unsafe fn store(x: Self::F32, to: *mut f32) {
        to.cast::<Self::F32>().write_unaligned(x);
    }

    #[inline(always)]
    unsafe fn load_f16(from: *const u8) -> Self::F32 {
        map(from.cast::<[u16; LANES]>().read_unaligned(), |bits| f16::from_bits(bits).to_f32())
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const u8) -> Self::F32 {
        // Any bits, as they are: not all that is loaded so are numbers.
        map(from.cast::<[u16; LANES]>().read_unaligned(), |bits| f32::from_bits(u32::from(bits) << 16))
    }

    #[inline(always)]
    unsafe fn add(a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn div(a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn max(a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn at_least(bound: Self::F32, x: Self::F32) -> Self::F32 {
        zip(bound, x, |bound, x| if bound > x { bound } else { x })
    }

    #[inline(always)]
    unsafe fn at_most(bound: Self::F32, x: Self::F32) -> Self::F32 {
        zip(bound, x, |bound, x| if bound < x { bound } else { x })
    }

    #[inline(always)]
    unsafe fn fma(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    unsafe fn load_four(from: *const f32) -> *const f32 {
        from
    }

    #[inline(always)]
    unsafe fn fma_by<const INDEX: usize>(a: Self::F32, four: *const f32, c: Self::F32) -> Self::F32 {
        Self::fma(a, Self::splat(*four.add(INDEX)), c)
    }

    #[inline(always)]
    unsafe fn neg_fma(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        std::array::from_fn(|lane| (-a[lane]).mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    unsafe fn round_to_int(x: Self::F32) -> Self::Int {
        map(x, |x| (x.round_ties_even() as i32).cast_unsigned())
    }

    #[inline(always)]
    unsafe fn to_f32(x: Self::Int) -> Self::F32 {
        map(x, |x| x.cast_signed() as f32)
    }

    #[inline(always)]
    unsafe fn to_bits(x: Self::F32) -> Self::Int {
        map(x, f32::to_bits)
    }

    #[inline(always)]
    unsafe fn from_bits(x: Self::Int) -> Self::F32 {
        map(x, f32::from_bits)
    }

    #[inline(always)]
    unsafe fn splat_int(x: i32) -> Self::Int {
        [x.cast_unsigned(); LANES]
    }

    #[inline(always)]
    unsafe fn load_int(from: *const u8) -> Self::Int {
        from.cast::<Self::Int>().read_unaligned()
    }

    #[inline(always)]
    unsafe fn store_int(x: Self::Int, to: *mut u8) {
        to.cast::<Self::Int>().write_unaligned(x);
    }

    #[inline(always)]
    unsafe fn load_i8(from: *const u8, vector: usize) -> Self::Int {
        map(from.cast::<[i8; LANES]>().add(vector).read_unaligned(), |x| i32::from(x).cast_unsigned())
    }

    #[inline(always)]
    unsafe fn store_low_bytes(x: &[Self::Int], to: *mut i8) {
        for (index, &x) in x.iter().enumerate() {
            to.cast::<[i8; LANES]>().add(index).write_unaligned(map(x, |x| x as i8));
        }
    }

    #[inline(always)]
    unsafe fn look_up(table: Self::Int, indices: Self::Int) -> Self::Int {
        let byte = |index: u8| table[usize::from(index) / 4].to_le_bytes()[usize::from(index) % 4];
        map(indices, |indices| u32::from_le_bytes(indices.to_le_bytes().map(byte)))
    }

    #[inline(always)]
    unsafe fn sub_bytes(x: Self::Int, less: u8) -> Self::Int {
        map(x, |x| u32::from_le_bytes(x.to_le_bytes().map(|byte| byte.wrapping_sub(less))))
    }

    #[inline(always)]
    unsafe fn mul_bytes(a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| {
            let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
            u32::from_le_bytes(std::array::from_fn(|i| a[i].wrapping_mul(b[i])))
        })
    }

    #[inline(always)]
    unsafe fn max_int(a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| a.cast_signed().max(b.cast_signed()).cast_unsigned())
    }

    #[inline(always)]
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, u32::wrapping_add)
    }

    #[inline(always)]
    unsafe fn mul_add_int(a: Self::Int, b: Self::Int, c: Self::Int) -> Self::Int {
        std::array::from_fn(|lane| a[lane].wrapping_mul(b[lane]).wrapping_add(c[lane]))
    }

    #[inline(always)]
    unsafe fn and(a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| a & b)
    }

    #[inline(always)]
    unsafe fn or(a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| a | b)
    }

    #[inline(always)]
    unsafe fn largest_of_each(x: [Self::F32; 4]) -> [f32; 4] {
        x.map(|x| x.into_iter().fold(f32::NEG_INFINITY, f32::max))
    }

    #[inline(always)]
    unsafe fn sum_pairs([a, b, c, d, e, f, g, h]: Self::Int) -> [i32; 2] {
        let sum = |lanes: [u32; 4]| lanes.into_iter().fold(0, u32::wrapping_add).cast_signed();
        [sum([a, b, e, f]), sum([c, d, g, h])]
    }

    #[inline(always)]
    unsafe fn largest_lane(x: Self::Int) -> i32 {
        x.into_iter().map(u32::cast_signed).fold(i32::MIN, i32::max)
    }

    #[inline(always)]
    unsafe fn shl<const N: u32>(x: Self::Int) -> Self::Int {
        map(x, |x| x << N)
    }

    #[inline(always)]
    unsafe fn shr<const N: u32>(x: Self::Int) -> Self::Int {
        map(x, |x| x >> N)
    }

    #[inline(always)]
    unsafe fn byte(x: Self::Int, index: usize) -> Self::Int {
        map(x, |x| u32::from(x.to_le_bytes()[index]))
    }

    #[inline(always)]
    unsafe fn dot_eight(bytes: [Self::Int; 2], x: *const i16) -> Self::Int {
        let x = x.cast::<[i16; 8]>().read_unaligned();
        std::array::from_fn(|lane| {
            let byte = |index: usize| i32::from(bytes[index % 2][lane].to_le_bytes()[index / 2]);
            let products = SUM_ORDER.into_iter().zip(x).map(|(index, x)| byte(index) * i32::from(x));
            products.sum::<i32>().cast_unsigned()
        })
    }

    #[inline(always)]
    unsafe fn load_sixteen(from: *const i8) -> *const i8 {
        from
    }

    #[inline(always)]
    unsafe fn dot_codes<const GROUP: usize>(dots: Self::Int, codes: Self::Int, x: *const i8) -> Self::Int {
        let x = x.cast::<u32>().add(GROUP).read_unaligned();
        std::array::from_fn(|lane| dot(dots[lane], codes[lane], x, i32::from))
    }

    #[inline(always)]
    unsafe fn signed_operand(bytes: Self::Int) -> Self::Int {
        bytes
    }

    #[inline(always)]
    unsafe fn dot_signed<const GROUP: usize>(dots: Self::Int, operand: Self::Int, x: *const i8) -> Self::Int {
        let x = x.cast::<u32>().add(GROUP).read_unaligned();
        std::array::from_fn(|lane| dot(dots[lane], operand[lane], x, |byte| i32::from(byte.cast_signed())))
    }
}
