// SPDX-License-Identifier: Apache-2.0
// Scalar floating point. Compiled without vectors and without contraction, so that both machines
// round alike; what the C library computes may differ in the last digit, which `rounded` hides.
#include "bench/micro/workload.h"

#include <math.h>
#include <string.h>

struct body {
    double x, y, z, vx, vy, vz, mass;
};

static void pull(struct body *a, struct body *b, double dt)
{
    double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
    double square = dx * dx + dy * dy + dz * dz;
    double size = dt / (square * __builtin_sqrt(square));
    a->vx -= dx * b->mass * size;
    a->vy -= dy * b->mass * size;
    a->vz -= dz * b->mass * size;
    b->vx += dx * a->mass * size;
    b->vy += dy * a->mass * size;
    b->vz += dz * a->mass * size;
}

static void advance(struct body *bodies, int n, double dt)
{
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            pull(&bodies[i], &bodies[j], dt);
    for (int i = 0; i < n; i++) {
        bodies[i].x += dt * bodies[i].vx;
        bodies[i].y += dt * bodies[i].vy;
        bodies[i].z += dt * bodies[i].vz;
    }
}

u64 nbody_run(void *state)
{
    struct body bodies[5] = {{0, 0, 0, 0, 0, 0, 39.5},
                             {4.8, -1.2, -0.1, 0.6, 2.8, 0, 0.037},
                             {8.3, 4.1, -0.4, -1.0, 1.8, 0, 0.011},
                             {12.9, -15.1, -0.2, 1.1, 0.9, 0, 0.0017},
                             {15.4, -25.9, 0.2, 1.0, 0.6, 0, 0.002}};
    for (int i = 0; i < 8000; i++)
        advance(bodies, 5, 0.001);
    return mix_in(rounded(bodies[0].x), rounded(bodies[1].y + bodies[2].z + bodies[3].x));
}

enum { LU_SIZE = 64 };

u64 lu_run(void *state)
{
    static const int n = LU_SIZE;
    double a[LU_SIZE][LU_SIZE];
    u64 random = 17;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i][j] = (double)(next_random(&random) >> 40) / 16777216.0 + (i == j ? n : 0);
    for (int k = 0; k < n; k++)
        for (int i = k + 1; i < n; i++) {
            a[i][k] /= a[k][k];
            for (int j = k + 1; j < n; j++)
                a[i][j] -= a[i][k] * a[k][j];
        }
    double trace = 0;
    for (int i = 0; i < n; i++)
        trace += a[i][i];
    return rounded(trace);
}

u64 mandelbrot_run(void *state)
{
    u64 sum = 0;
    for (int row = 0; row < 80; row++)
        for (int column = 0; column < 80; column++) {
            double cr = column * (2.5 / 80) - 2.0, ci = row * (2.0 / 80) - 1.0, r = 0, i = 0;
            int n = 0;
            for (; n < 100 && r * r + i * i < 4.0; n++) {
                double t = r * r - i * i + cr;
                i = 2 * r * i + ci;
                r = t;
            }
            sum += (u64)n;
        }
    return sum;
}

u64 libm_run(void *state)
{
    double sum = 0;
    for (int i = 1; i <= 10000; i++) {
        double x = i * 0.001;
        sum += sin(x) + cos(2 * x) + exp(-x) + log(x) + pow(x, 0.3) + atan2(x, 3 - x);
    }
    return rounded(sum);
}

// Filters a signal by a chain of two recursive sections.
u64 single_run(void *state)
{
    float a1 = 0, a2 = 0, b1 = 0, b2 = 0, power = 0;
    u64 random = 23;
    for (int i = 0; i < 100000; i++) {
        float x = (float)(s32)next_random(&random) * 0x1p-31f;
        float y = 0.2f * x + 0.7f * a1 - 0.1f * a2;
        float z = 0.4f * y + 0.5f * b1 - 0.2f * b2;
        a2 = a1, a1 = y, b2 = b1, b1 = z;
        power = 0.999f * power + z * z;
    }
    return rounded(power);
}

// Conversions, roundings and comparisons.
u64 convert_run(void *state)
{
    u64 random = 29, sum = 0;
    for (int i = 0; i < 100000; i++) {
        u64 bits = next_random(&random);
        double x = (double)(s64)(bits >> 20) * 0x1p-20;
        float y = (float)x;
        sum += (u64)(s64)x + (u64)(s32)y + (x > (double)y) + (x < 8e6 ? 3 : 1);
    }
    return sum;
}
