// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_picture.h"

#include <errno.h>
#include <string.h>

#define WIDTH 720
#define BAR_Y 110

static const char *color(u32 cell)
{
    static const char *const colors[] = {"#9ecae1", "#a1d99b", "#fdae6b", "#bcbddc",
                                         "#fc9272", "#d9d9a0", "#c7e9c0", "#f7b6d2"};
    return colors[cell % ARRAY_LEN(colors)];
}

static void box(FILE *to, double x, double y, double w, const char *fill, const char *label)
{
    fprintf(to,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"40\" fill=\"%s\" "
            "stroke=\"#333\"/>\n<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
            x, y, w, fill, x + w / 2, y + 25, label);
}

static void draw_cpus(FILE *to, u32 present, const struct control_cell *cells)
{
    char label[48];
    double x = 20;
    for (u32 i = 0; i < CONTROL_MAX_CPUS; i++) {
        if (!(present >> i & 1))
            continue;
        for (u32 c = 0; c < CONTROL_MAX_CELLS; c++) {
            if (cells[c].state == CONTROL_CELL_NONE || !(cells[c].cpus >> i & 1))
                continue;
            snprintf(label, sizeof(label), "%u %.16s", i, cells[c].name);
            box(to, x, 40, 80, color(c), label);
        }
        x += 85;
    }
}

// The pool, to scale.
static void draw_pool(FILE *to, const struct control_info *info, const struct control_cell *cells)
{
    double scale = (double)WIDTH / (double)info->pool_size;
    box(to, 20, BAR_Y, WIDTH, "#ffffff", "");
    for (u32 c = 1; c < CONTROL_MAX_CELLS; c++) {
        if (cells[c].state == CONTROL_CELL_NONE)
            continue;
        for (u32 r = 0; r < cells[c].n_regions; r++) {
            const struct control_region *g = &cells[c].regions[r];
            char label[48] = "shared";
            if (!g->tag)
                snprintf(label, sizeof(label), "%.32s", cells[c].name);
            box(to, 20 + (double)(g->hpa - info->pool_base) * scale, BAR_Y, (double)g->size * scale,
                g->tag ? "#eeeeee" : color(c), label);
        }
    }
}

static void draw_root(FILE *to, const struct control_cell *root)
{
    fprintf(to, "<text x=\"20\" y=\"180\">%s:", root->name);
    for (u32 r = 0; r < root->n_regions; r++)
        fprintf(to, " %llx&#8211;%llx", (unsigned long long)root->regions[r].hpa,
                (unsigned long long)(root->regions[r].hpa + root->regions[r].size - 1));
    fprintf(to, "</text>\n");
}

bool cell_picture(struct cell_job *j, const struct control_info *info,
                  const struct control_cell cells[CONTROL_MAX_CELLS])
{
    FILE *to = j->o->output ? fopen(j->o->output, "we") : j->out;
    if (!to)
        return err_set(j->e, "cannot write '%s': %s", j->o->output, strerror(errno));
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"200\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n<text x=\"20\" y=\"30\">processors"
            "</text>\n<text x=\"20\" y=\"%d\">pool: %llu MiB at %llx</text>\n",
            WIDTH + 40, BAR_Y - 8, (unsigned long long)info->pool_size >> 20,
            (unsigned long long)info->pool_base);
    draw_cpus(to, info->cpus_present, cells);
    draw_pool(to, info, cells);
    draw_root(to, &cells[0]);
    fprintf(to, "</svg>\n");
    return to == j->out || !fclose(to) || err_set(j->e, "cannot write '%s'", j->o->output);
}
