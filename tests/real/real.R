# Repeated-measures data that R packages carry, written in the formats of other programs, and R's own analysis of them.
# Run in this folder:  Rscript real.R      (R 4.2, nlme 3.1, lme4 1.1, emmeans 1.8, haven 2.5, jsonlite)
library(nlme)
library(emmeans)
library(haven)
data(sleepstudy, package = "lme4")

# Potthoff & Roy 1964, Biometrika 51:313: distance (mm) from pituitary to fissure in 27 children at 4 ages.
growth <- data.frame(child = as.character(Orthodont$Subject), age = Orthodont$age,
                     distance = Orthodont$distance,
                     sex = labelled(ifelse(Orthodont$Sex == "Female", 1, 2), c(girl = 1, boy = 2)))
write_dta(growth, "growth.dta")

# Belenky et al. 2003, J Sleep Res 12:1: reaction time (ms) of 18 drivers on 10 days of restricted sleep.
sleep <- data.frame(driver = as.character(sleepstudy$Subject), night = sleepstudy$Days, reaction = sleepstudy$Reaction)
write_sav(sleep, "sleep.sav")

# Crowder & Hand 1990, Analysis of Repeated Measures, example 5.3: weight (g) of 50 chicks on 4 diets; some die.
chicks <- data.frame(CHICK = as.character(ChickWeight$Chick), DAY = ChickWeight$Time, WEIGHT = ChickWeight$weight,
                     DIET = paste0("diet ", ChickWeight$Diet))
write_xpt(chicks, "chicks.xpt", version = 5)
suppressWarnings(write_sas(chicks, "chicks.sas7bdat"))

fitted <- function(model, of, by) {
  means <- as.data.frame(emmeans(model, as.formula(paste("~", of, if (!is.null(by)) paste("|", by))),
                                 mode = "asymptotic", data = getData(model)))
  list(log_likelihood = as.numeric(logLik(model)), sigma = model$sigma,
       means = lapply(split(means, seq_len(nrow(means))), function(row) lapply(as.list(row), function(v)
         if (is.factor(v)) as.character(v) else v)))
}
control <- glsControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-10, msTol = 1e-12, apVar = FALSE)

growth$visit <- factor(growth$age); growth$arm <- factor(growth$sex, labels = c("girl", "boy"))
m1 <- gls(distance ~ visit * arm, growth, corSymm(form = ~ as.integer(visit) | child), varIdent(form = ~ 1 | visit),
          method = "REML", control = control)
sleep$visit <- factor(sleep$night)
m2 <- gls(reaction ~ visit, sleep, corCompSymm(form = ~ 1 | driver), varIdent(form = ~ 1 | visit), method = "REML",
          control = control)
chicks$visit <- factor(chicks$DAY); chicks$arm <- factor(chicks$DIET)
m3 <- gls(sqrt(WEIGHT) ~ visit * arm, chicks, corAR1(form = ~ as.integer(visit) | CHICK), varIdent(form = ~ 1 | visit),
          method = "REML", control = control)
out <- list(R = R.version.string, nlme = as.character(packageVersion("nlme")),
            emmeans = as.character(packageVersion("emmeans")), haven = as.character(packageVersion("haven")),
            growth = fitted(m1, "visit", "arm"), sleep = fitted(m2, "visit", NULL), chicks = fitted(m3, "visit", "arm"))
writeLines(jsonlite::toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "real.json")
