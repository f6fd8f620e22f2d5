#include "models/team.h"

#include <string.h>

size_t team_size(const Team *team)
{
    return team ? team->size : 1;
}

static bool is_alone(const Team *team)
{
    return team_size(team) == 1;
}

bool team_is_first(const Team *team)
{
    return !team || team->rank == 0;
}

int team_sum(const Team *team, real *values, size_t n, Error *err)
{
    return is_alone(team) ? 0 : team->sum(team->link, values, n, err);
}

int team_total(const Team *team, double *numbers, size_t n, Error *err)
{
    return is_alone(team) ? 0 : team->total(team->link, numbers, n, err);
}

int team_share(const Team *team, size_t from, void *bytes, size_t n, Error *err)
{
    return is_alone(team) ? 0 : team->share(team->link, from, bytes, n, err);
}

/* What a process tells the others of itself. */
typedef struct News {
    int failed;
    char place[64];
    Error err;
} News;

int team_agree(const Team *team, int failed, Error *err)
{
    double count = failed ? 1.0 : 0.0;
    if (is_alone(team))
        return failed ? -1 : 0;
    /* A message of one's own says more than that another is lost. */
    if (team_total(team, &count, 1, failed ? NULL : err))
        return -1;
    for (size_t r = 0; count > 0.0 && r < team->size; r++) {
        News news = {.failed = failed != 0};
        strncpy(news.place, team->place, sizeof news.place - 1);
        if (err)
            news.err = *err;
        if (team_share(team, r, &news, sizeof news, failed ? NULL : err))
            return -1;
        if (!news.failed)
            continue;
        error_set(err, "%s", news.err.message);
        return r ? error_prefix(err, "process %zu on %s", r, news.place) : -1;
    }
    return 0;
}

TeamShare team_share_of(const Team *team, size_t of, size_t part, size_t parts)
{
    const size_t shares = team_size(team) * parts;
    const size_t i = (team ? team->rank : 0) * parts + part, first = of * i / shares;
    return (TeamShare){first, of * (i + 1) / shares - first};
}
